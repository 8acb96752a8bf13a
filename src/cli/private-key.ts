import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readPrivateKey } from '../sfu/token.js';
import { CommandError, EXIT_USAGE } from './command.js';

/**
 * Reads the private key that `--key` names.
 *
 * @throws CommandError that says what is wrong with it
 */
export function privateKeyOf(file: string): { privateKey: KeyObject; publicKey: KeyObject } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new CommandError(
      `--key ${file}: the file can not be read (${code}); "janus-sfu keys" makes a pair of keys`,
      EXIT_USAGE,
    );
  }
  try {
    const privateKey = readPrivateKey(bytes);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (error) {
    throw new CommandError(`--key ${file}: ${error instanceof Error ? error.message : error}`, EXIT_USAGE);
  }
}
