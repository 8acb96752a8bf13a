import { suggestion } from '../config/nearest.js';
import { packageVersion } from '../config/package-version.js';
import { readArguments } from './arguments.js';
import { CommandError, EXIT_OK, EXIT_USAGE, type Surroundings } from './command.js';
import { COMMANDS } from './commands.js';
import { commandHelp, generalHelp } from './help.js';

/** Runs one call of `janus-sfu`. Returns the exit code; what is wrong was told by then, a line for each. */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatch(args, surroundings);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    for (const line of error.lines) surroundings.err(`janus-sfu: ${line}\n`);
    return error.exitCode;
  }
}

async function dispatch(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const named = args[0] !== undefined && !args[0].startsWith('-');
  const name = named ? (args[0] ?? '') : 'start';
  if (name === 'help') {
    surroundings.out(await generalHelp());
    return EXIT_OK;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    const names = Object.keys(COMMANDS);
    const hint = suggestion(name, names) || `; there are ${names.join(', ')}`;
    throw new CommandError(`${JSON.stringify(name)}: there is no such command${hint}`, EXIT_USAGE);
  }
  const command = await load();
  const { given, problems } = readArguments(named ? args.slice(1) : args, command);
  if (given.has('help')) {
    surroundings.out(named ? commandHelp(command) : await generalHelp());
    return EXIT_OK;
  }
  if (given.has('version')) {
    surroundings.out(`${packageVersion()}\n`);
    return EXIT_OK;
  }
  if (problems.length > 0) throw new CommandError(problems, EXIT_USAGE);
  return command.run(given, surroundings);
}
