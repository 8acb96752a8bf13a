import type { Setting } from './setting.js';

/** Always as long, whatever it hides. */
const MASK = '********';

/** A setting's value as it may be shown: of a secret, only that there is one. */
export function masked({ secret = false }: Pick<Setting, 'secret'>, value: string): string {
  return secret && value !== '' ? MASK : value;
}
