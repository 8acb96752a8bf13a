import { entry, settingsHelp } from '../config/help.js';
import { packageVersion } from '../config/package-version.js';
import type { Command } from './command.js';
import { COMMANDS } from './commands.js';

function optionsHelp({ options }: Command): string {
  return options.map(({ name, value, meaning }) => entry(`--${name}${value ? ` ${value}` : ''}`, meaning)).join('');
}

/** `janus-sfu --help`: all commands, and every setting. */
export async function generalHelp(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const start = commands.find(({ name }) => name === 'start');
  return [
    `janus-sfu ${packageVersion()}: a WebRTC media relay that speaks the Janus API\n`,
    'Usage: janus-sfu [command] [flags]\n',
    `Commands (janus-sfu <command> --help says more):\n${commands.map(({ name, summary }) => entry(name, summary)).join('')}`,
    `Flags:\n${start ? optionsHelp(start) : ''}${entry('--help, -h', 'this text')}${entry('--version, -v', 'the version')}`,
    'Settings of start and check, as flags; as variables they are upper case: --ws-port 9000 is WS_PORT=9000.\n',
    settingsHelp(),
  ].join('\n');
}

/** `janus-sfu <command> --help`. */
export function commandHelp(command: Command): string {
  const { name, summary, usage, settings } = command;
  const options = optionsHelp(command);
  return [
    `janus-sfu ${name}: ${summary}\n`,
    `Usage: janus-sfu ${name} ${usage}\n`,
    ...(options ? [`Flags:\n${options}`] : []),
    ...(settings ? ['Settings are taken from flags, environment and files as by start: see janus-sfu --help.\n'] : []),
  ].join('\n');
}
