/**
 * What Chromium's fake camera shows: a film with motion and grain. Its own picture is so plain that it needs half the
 * bitrate of a real one, and so never meets a limit. Faster motion would make encoders see a new scene every second.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Random } from './random.js';

export const FILM = { width: 640, height: 480, framesPerSecond: 30 };
/** Two seconds, shown again and again. */
const FRAMES = 60;
/** Levels of luminance, up and down. */
const GRAIN = 6;
const WAVES = 40;

export interface Film {
  /** A YUV4MPEG2 file (4:2:0). */
  file: string;
  remove(): void;
}

/** Writes the film, the same one each time, into a temporary folder. */
export function writeFilm(): Film {
  const { width, height, framesPerSecond } = FILM;
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-film-'));
  const file = path.join(folder, 'film.y4m');
  const target = openSync(file, 'w');
  const random = new Random(1);
  const grain = random.bytes(width * height * 2).map((byte) => byte % (2 * GRAIN + 1));
  const luminance = Buffer.alloc(width * height);
  const colour = Buffer.alloc(width * height * 0.5, 128);
  writeSync(target, `YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < FRAMES; frame++) {
    const turn = (2 * Math.PI * frame) / FRAMES;
    const across = Float64Array.from({ length: width }, (_, x) => Math.sin(x / 19 + turn));
    const first = random.below(width * height);
    for (let y = 0; y < height; y++) {
      const down = WAVES * Math.sin(y / 13 + turn);
      for (let x = 0; x < width; x++) {
        const at = y * width + x;
        luminance[at] = 128 + down * (across[x] ?? 0) + (grain[first + at] ?? 0) - GRAIN;
      }
    }
    writeSync(target, 'FRAME\n');
    writeSync(target, luminance);
    writeSync(target, colour);
  }
  closeSync(target);
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
