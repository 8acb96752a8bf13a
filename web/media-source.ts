import { type MediaSource, testPattern } from './test-pattern.js';

export type SourceKind = 'pattern' | 'camera' | 'microphone' | 'none';

/** Ids of devices; empty = the browser's choice. */
export interface ChosenDevices {
  camera: string;
  microphone: string;
}

const CAMERA: MediaTrackConstraints = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 } };
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
/** A screen is to be read: rather sharp than fluent. */
const SCREEN: MediaTrackConstraints = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } };

export const NO_DEVICES = 'Browsers give camera, microphone and screen only to pages on https:// or http://localhost.';

export function isSourceKind(value: string | null): value is SourceKind {
  return value === 'pattern' || value === 'camera' || value === 'microphone' || value === 'none';
}

/** Why the devices can't be had, and what to do about it. */
function explainDevices(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError')
    return 'The browser was not allowed to use camera or microphone: allow it in the address bar.';
  if (name === 'NotFoundError')
    return 'No camera or microphone was found: choose the test pattern to try the room without.';
  if (name === 'NotReadableError') return 'Camera or microphone are in use by another program.';
  if (error instanceof Error && error.name === 'OverconstrainedError')
    return 'The chosen camera or microphone is not there any more: choose another one.';
  return `Camera or microphone can't be used: ${error instanceof Error ? error.message : String(error)}`;
}

const only = (constraints: MediaTrackConstraints, id: string): MediaTrackConstraints =>
  id === '' ? constraints : { ...constraints, deviceId: { exact: id } };

function ofStream(stream: MediaStream): MediaSource {
  return { stream, stop: () => stream.getTracks().forEach((track) => void track.stop()) };
}

/** @throws Error with words for the user if the devices can't be had */
export async function openSource(kind: SourceKind, name: string, devices: ChosenDevices): Promise<MediaSource> {
  if (kind === 'none') return { stream: null, stop: () => {} };
  if (kind === 'pattern') return testPattern(name);
  if (!navigator.mediaDevices) throw new Error(NO_DEVICES);
  try {
    const video = kind === 'camera' ? only(CAMERA, devices.camera) : false;
    const audio = only(MICROPHONE, devices.microphone);
    return ofStream(await navigator.mediaDevices.getUserMedia({ audio, video }));
  } catch (error) {
    throw new Error(explainDevices(error));
  }
}

/**
 * Asks the user which screen, window or tab.
 *
 * @returns null if the user chose none
 * @throws Error with words for the user if screens can't be had here
 */
export async function openScreen(): Promise<MediaStream | null> {
  if (!navigator.mediaDevices) throw new Error(NO_DEVICES);
  // Browsers on phones have none.
  if (!('getDisplayMedia' in navigator.mediaDevices)) throw new Error('This browser can not share a screen.');
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: true });
    for (const track of stream.getVideoTracks()) track.contentHint = 'detail';
    return stream;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotAllowedError') return null;
    throw new Error(`The screen can't be shared: ${error instanceof Error ? error.message : String(error)}`);
  }
}
