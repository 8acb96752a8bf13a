import { parseArgs } from 'node:util';
import { suggestion } from '../config/nearest.js';
import { flagOf, SETTINGS, settingOf, variables } from '../config/schema.js';
import { LOCATIONS, type Location } from '../config/sources.js';
import type { Arguments, Command } from './command.js';

/** Options of every command. */
const COMMON = ['help', 'version'];

type Meaning =
  | { of: 'option'; takesValue: boolean }
  | { of: 'setting'; variable: string; takesValue: boolean }
  | { of: 'location'; location: Location; takesValue: true };

/** Everything that may follow the dashes, by name. */
function meanings({ options, settings }: Pick<Command, 'options' | 'settings'>): Map<string, Meaning> {
  const all = new Map<string, Meaning>();
  if (settings) {
    for (const variable of variables()) {
      const name = settingOf(variable);
      const takesValue = name === undefined || SETTINGS[name].kind.name !== 'true or false';
      all.set(flagOf(variable).slice(2), { of: 'setting', variable, takesValue });
    }
    for (const location of Object.keys(LOCATIONS) as Location[]) {
      all.set(flagOf(location).slice(2), { of: 'location', location, takesValue: true });
    }
  }
  for (const name of COMMON) all.set(name, { of: 'option', takesValue: false });
  for (const { name, value } of options) all.set(name, { of: 'option', takesValue: value !== undefined });
  return all;
}

/** Reads what follows a command's name: its options, settings as flags, nothing else. */
export function readArguments(
  args: readonly string[],
  command: Pick<Command, 'options' | 'settings'>,
): { given: Arguments; problems: string[] } {
  const known = meanings(command);
  const problems: string[] = [];
  const options = new Map<string, string[]>();
  const flags = new Map<string, string>();
  const locations = new Map<Location, string>();
  const kinds = [...known].map(([name, { takesValue }]) => [
    name,
    { type: takesValue ? ('string' as const) : ('boolean' as const), multiple: true },
  ]);
  const { tokens } = parseArgs({
    args: args.map((arg) => (arg === '-h' ? '--help' : arg === '-v' ? '--version' : arg)),
    options: Object.fromEntries(kinds),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  /** What follows a flag that does not exist was meant for it. */
  let unknown = false;
  for (const token of tokens) {
    if (token.kind === 'positional' && !unknown) {
      problems.push(
        `${JSON.stringify(token.value)}: not expected here; a value follows its flag, as in --ws-port 8188`,
      );
    }
    unknown &&= token.kind === 'positional';
    if (token.kind !== 'option') continue;
    const { name, rawName } = token;
    const meaning = known.get(name);
    const positive = /^no-(.+)$/.exec(name)?.[1] ?? '';
    const negated = meaning ? undefined : known.get(positive);
    if (negated?.of === 'setting' && !negated.takesValue && token.value === undefined) {
      flags.set(negated.variable, 'false');
    } else if (!meaning) {
      const names = [...known.keys()].map((one) => `--${one}`);
      problems.push(`${rawName}: there is no such flag${suggestion(rawName, names)}`);
      unknown = true;
    } else if (
      meaning.takesValue &&
      (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
    ) {
      problems.push(`${rawName}: needs a value`);
    } else if (meaning.of === 'setting') flags.set(meaning.variable, token.value ?? 'true');
    else if (meaning.of === 'location') locations.set(meaning.location, token.value ?? '');
    else if (!meaning.takesValue && token.value !== undefined) problems.push(`${rawName}: takes no value`);
    else if (token.value === '') problems.push(`${rawName}: needs a value that is not empty`);
    else options.set(name, [...(options.get(name) ?? []), token.value ?? '']);
  }
  const given: Arguments = {
    has: (name) => options.has(name),
    value: (name) => options.get(name)?.at(-1),
    values: (name) => options.get(name) ?? [],
    flags,
    locations,
  };
  return { given, problems };
}
