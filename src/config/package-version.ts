import { readFileSync } from 'node:fs';

/** The version of this package, `1.2.3`. */
export function packageVersion(): string {
  for (const level of ['../', '../../', '../../../', '../../../../']) {
    try {
      const found = JSON.parse(readFileSync(new URL(`${level}package.json`, import.meta.url), 'utf8'));
      if (found.name === 'janus-sfu') return String(found.version);
    } catch {
      // Not here: the built files lie some folders below the package's own.
    }
  }
  return '0.0.0';
}
