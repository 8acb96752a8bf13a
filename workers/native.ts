/**
 * Loads a private copy of node-datachannel's native addon into this thread, and guards every callback it makes.
 *
 * Why a copy: the addon keeps constructor references of the first JavaScript environment that loads it, so a second
 * thread with the same copy aborts the process. Why a guard: a throw inside a native callback aborts the process too.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  DataChannel,
  PeerConnection as NativePeerConnection,
  Video as NativeVideo,
  RtcConfig,
  Track,
} from 'node-datachannel';

/** One end of the selected pair. */
export type NativeCandidate = NonNullable<ReturnType<NativePeerConnection['getSelectedCandidatePair']>>['local'];

export type { DataChannel, NativePeerConnection, RtcConfig, Track };

/** The parts of the addon that a shard uses. */
export interface Native {
  PeerConnection: new (name: string, config: RtcConfig) => NativePeerConnection;
  Video: new (mid: string, direction: 'SendRecv') => NativeVideo;
  /** Ends the addon's threads; blocks 10 s and throws if a PeerConnection was not closed. */
  cleanup: () => void;
}

const require = createRequire(import.meta.url);

/** The prebuilt addons that npm installed for this platform: one, or two where npm could not tell the C library. */
function addonFiles(): string[] {
  const manifest = path.resolve(path.dirname(require.resolve('node-datachannel')), '../../../package.json');
  const { optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const fromPackage = createRequire(manifest);
  const platform = `${process.platform}-${process.arch}`;
  return Object.keys(optionalDependencies)
    .filter((name) => name.includes(platform))
    .flatMap((name) => {
      try {
        return [fromPackage.resolve(name)];
      } catch {
        return [];
      }
    });
}

let copies = 0;

/** A path that no copy had before: the dynamic loader matches by name first and would hand out the old copy. */
function freshName(): string {
  copies += 1;
  return `janus-sfu-${process.pid}-${process.hrtime.bigint()}-${copies}.node`;
}

/**
 * Loads the addon from a new private copy, made in the first folder that takes it and allows executing from it.
 *
 * @param folders tried in order before the usual temporary folders and the package's own
 * @throws Error that names every folder tried and why it failed
 */
export function loadNative(folders: string[]): Native {
  const packageFolder = path.dirname(fileURLToPath(import.meta.url));
  const candidates = [...folders, os.tmpdir(), '/var/tmp', '/dev/shm', packageFolder];
  const failures: string[] = [];
  const files = addonFiles();
  if (files.length === 0) {
    throw new Error(
      `node-datachannel has no prebuilt addon for ${process.platform}-${process.arch}. Run on a platform that has one, or reinstall with optional dependencies.`,
    );
  }
  for (const file of files) {
    for (const folder of new Set(candidates)) {
      const copy = path.join(folder, freshName());
      try {
        mkdirSync(folder, { recursive: true });
        copyFileSync(file, copy);
        const module = { exports: {} as Native };
        process.dlopen(module, copy);
        return module.exports;
      } catch (error) {
        failures.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        rmSync(copy, { force: true });
      }
    }
  }
  throw new Error(
    `The native addon could be loaded from no folder; name one in ADDON_FOLDERS that is writable and not mounted noexec. Tried ${failures.join('; ')}`,
  );
}

/** Told of an error that a guarded callback threw, on a later turn of the loop, outside native code. */
export type Report = (where: string, error: Error) => void;

/** Wraps a function for native code to call: what it throws is reported, never thrown into the addon. */
export function guard<A extends unknown[]>(
  where: string,
  report: Report,
  call: (...args: A) => void,
): (...args: A) => void {
  return (...args: A) => {
    try {
      call(...args);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      setImmediate(report, where, error);
    }
  };
}
