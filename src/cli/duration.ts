/** Seconds by unit. */
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `15m`, `1h`, `7d` in seconds; null if it is none of these, or nothing. */
export function readDuration(text: string): number | null {
  const [, number = '', unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(number) * (UNITS[unit] ?? 0);
  return number !== '' && seconds > 0 ? seconds : null;
}
