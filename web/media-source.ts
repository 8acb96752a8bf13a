import { type MediaSource, testPattern } from './test-pattern.js';

export type SourceKind = 'pattern' | 'camera' | 'microphone' | 'none';

const CAMERA: MediaTrackConstraints = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 } };
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

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
  return `Camera or microphone can't be used: ${error instanceof Error ? error.message : String(error)}`;
}

/** @throws Error with words for the user if the devices can't be had */
export async function openSource(kind: SourceKind, name: string): Promise<MediaSource> {
  if (kind === 'none') return { stream: null, stop: () => {} };
  if (kind === 'pattern') return testPattern(name);
  if (!navigator.mediaDevices) {
    throw new Error('Browsers give camera and microphone only to pages on https:// or http://localhost.');
  }
  try {
    const video = kind === 'camera' ? CAMERA : false;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE, video });
    return { stream, stop: () => stream.getTracks().forEach((track) => void track.stop()) };
  } catch (error) {
    throw new Error(explainDevices(error));
  }
}
