import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Log } from '../observability/log.js';

/** Where a certificate and its private key are. */
export interface TlsFiles {
  /** PEM: the server's own certificate first, then those that vouch for it. */
  cert: string;
  /** PEM, without a passphrase. */
  key: string;
}

/** A certificate with the key that belongs to it, both as they stand in their files. */
export interface TlsPair {
  cert: Buffer;
  key: Buffer;
  /** Host names that it is for (RFC 5280 4.2.1.6), in its order; may have wildcards. */
  names: readonly string[];
  /** From and until when it is valid: Unix time, milliseconds. */
  validFrom: number;
  validTo: number;
}

/** What a listening socket needs (options of node:tls). */
export type TlsContext = Pick<TlsPair, 'cert' | 'key'> & { minVersion: 'TLSv1.2' };

/** RFC 8996: nothing below is to be spoken. */
const MIN_VERSION = 'TLSv1.2';

/** Milliseconds of quiet until changed files are read: certificate and key are replaced one after the other. */
const SETTLING = 250;
/** Milliseconds between two looks without being told: network file systems, and folders that are swapped as a whole. */
const LOOK_INTERVAL = 30_000;

/**
 * Checks that a certificate and a key can be served together.
 *
 * @throws Error that says which of them is wrong, and what to do
 */
export function readTlsPair(files: TlsFiles, cert: Buffer, key: Buffer): TlsPair {
  const certName = `TLS_CERT=${JSON.stringify(files.cert)}`;
  const keyName = `TLS_KEY=${JSON.stringify(files.key)}`;
  const certificate = attempt(`${certName}: it is no certificate in PEM`, () => {
    if (!cert.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate');
    return new X509Certificate(cert);
  });
  const privateKey = attempt(
    `${keyName}: it is no private key in PEM (or it has a passphrase, which must be taken off)`,
    (): KeyObject => createPrivateKey({ key, format: 'pem' }),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`${keyName}: it is not the key of the certificate ${files.cert}; they must be made together`);
  }
  try {
    createSecureContext({ cert, key, minVersion: MIN_VERSION });
  } catch (error) {
    // A short key, a hash that nobody trusts any more, a chain that is broken.
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
    throw new Error(`${certName}: it can not be served (${reason})`);
  }
  const names = [...(certificate.subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = '']) => name);
  return {
    cert,
    key,
    names,
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  };
}

function attempt<T>(otherwise: string, make: () => T): T {
  try {
    return make();
  } catch {
    throw new Error(otherwise);
  }
}

/** @throws Error that names the setting and the file */
export function readSettingFile(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`${setting}=${JSON.stringify(file)}: the file can not be read (${code})`);
  }
}

/**
 * Reads a certificate and its key.
 *
 * @throws Error that names the setting, the file and what is wrong with it
 */
export function loadTlsPair(files: TlsFiles): TlsPair {
  return readTlsPair(files, readSettingFile('TLS_CERT', files.cert), readSettingFile('TLS_KEY', files.key));
}

/**
 * The certificate that the server shows at the moment. It follows its files: after `watch`, a pair that replaces the old
 * one is taken for new connections; one that can not be served is told in the log, once, and the old one stays.
 */
export class TlsCertificate {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #listeners = new Set<(context: TlsContext) => void>();
  readonly #watchers = new Map<string, FSWatcher>();
  #pair: TlsPair;
  /** What was last told of files that can't be taken. */
  #failure: string | null = null;
  #settling: NodeJS.Timeout | null = null;
  #looking: NodeJS.Timeout | null = null;

  /** @throws as `loadTlsPair` */
  constructor(files: TlsFiles, log: Log) {
    this.#files = files;
    this.#log = log;
    this.#pair = loadTlsPair(files);
  }

  get pair(): TlsPair {
    return this.#pair;
  }

  get context(): TlsContext {
    const { cert, key } = this.#pair;
    return { cert, key, minVersion: MIN_VERSION };
  }

  /** @returns what ends it */
  onChange(listener: (context: TlsContext) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Follows the files from now on. */
  watch(): void {
    this.#looking = setInterval(() => this.#look(), LOOK_INTERVAL);
    this.#watchFolders();
  }

  close(): void {
    if (this.#looking) clearInterval(this.#looking);
    if (this.#settling) clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Folders, not files: a file that is replaced by a rename is another one, and its watcher would see no more. */
  #watchFolders(): void {
    for (const folder of new Set([this.#files.cert, this.#files.key].map((file) => path.dirname(path.resolve(file))))) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, () => this.#touched());
        watcher.on('error', () => this.#unwatch(folder));
        this.#watchers.set(folder, watcher);
      } catch (error) {
        // Too many watchers on this machine, say: the regular look remains, and tries again.
        this.#log('debug', 'the folder of the TLS files can not be watched', { folder, error: String(error) });
      }
    }
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #touched(): void {
    if (this.#settling) clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#reload(), SETTLING);
  }

  #look(): void {
    this.#watchFolders();
    this.#reload();
  }

  #reload(): void {
    try {
      const cert = readSettingFile('TLS_CERT', this.#files.cert);
      const key = readSettingFile('TLS_KEY', this.#files.key);
      const unchanged = cert.equals(this.#pair.cert) && key.equals(this.#pair.key);
      if (!unchanged) this.#take(readTlsPair(this.#files, cert, key));
      this.#failure = null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.#failure) return;
      this.#failure = reason;
      this.#log('error', 'the new TLS certificate is not taken, the old one stays', { reason });
    }
  }

  #take(pair: TlsPair): void {
    this.#pair = pair;
    const { context } = this;
    for (const listener of this.#listeners) listener(context);
    const until = new Date(pair.validTo).toISOString();
    this.#log('info', 'the TLS certificate was read again', { names: pair.names.join(' '), until });
  }
}
