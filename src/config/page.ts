import { JANUS_PLUGIN_FILE } from './janus-files.js';
import { flagOf, SECTIONS } from './schema.js';
import type { Setting } from './setting.js';
import { shownDefault } from './shown.js';
import { LOCATIONS } from './sources.js';

const INTRODUCTION = `# Settings

<!-- Made from src/config by \`npm run docs\`. -->

A setting is a flag, a variable, or a line in a file. Where several say something, the first of these counts:

1. a flag: \`janus-sfu --ws-port 9000\`
2. an environment variable: \`WS_PORT=9000\`
3. a line of \`.env\`: \`WS_PORT=9000\`
4. the configuration file, \`janus-sfu.json\` (\`{ "WS_PORT": 9000 }\`) or \`janus-sfu.ini\` (\`ws_port = 9000\`): names may also be
   written \`ws-port\` or \`wsPort\`, and sections of an INI file are only headings
5. Janus’ own \`${JANUS_PLUGIN_FILE}\`: \`auth_key\`, \`max_room_size\`, \`max_ccu\`, \`message_threads\` of \`[general]\`
6. the default

An empty value counts as not set. Paths are relative to the current folder. A flag that is true or false needs no value
(\`--full-trickle\`, \`--no-full-trickle\`). Wrong values, and names that do not exist in flags or in the configuration file,
are refused at the start, all at once, with exit code 2. \`janus-sfu --print-config\` shows each value and where it came from,
secrets masked; \`janus-sfu check\` looks whether the server can work with them ([commands.md](commands.md)).
`;

const JANUS = `## From Janus
The variables of the reference’s container image mean here what they mean there:

| variable | here |
|---|---|
| \`ADMIN_SECRET\`, \`AUTH_KEY\`, \`MAX_CCU\`, \`MAX_ROOM_SIZE\`, \`PUBLIC_IP\`, \`SESSION_TIMEOUT\` | the same |
| \`NETWORK_INTERFACE\` | the same (Janus’ \`ice_enforce_list\`) |
| \`DEBUG_LEVEL\` | \`LOG_LEVEL\`, by Janus’ numbers |
| \`EVENT_LOOPS\` | \`SFU_WORKERS\` |
| \`MIN_NACK_QUEUE\` | told to clients that ask; media does not depend on it |
| \`MESSAGE_THREADS\` | has no effect, and the start says so |

\`JANUS_FOLDER=/usr/etc/janus\` reads the plugin’s file where its image has it. Unlike there, \`MAX_ROOM_SIZE\` and \`MAX_CCU\` are unlimited unless set.
`;

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(line)].join('\n');
}

function row([name, setting]: [string, Setting]): string[] {
  const aliases = (setting.aliases ?? []).map((alias) => `\`${alias}\``);
  const names = `\`${name}\`${aliases.length > 0 ? ` (${aliases.join(', ')})` : ''}`;
  const kind = setting.secret ? 'secret' : setting.kind.name;
  const unit = setting.kind.unit === undefined ? kind : `${kind}, ${setting.kind.unit}`;
  return [names, unit, shownDefault(setting), setting.meaning];
}

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const locations = Object.entries(LOCATIONS).map(([name, meaning]) => [`\`${name}\``, `\`${flagOf(name)}\``, meaning]);
  const sections = SECTIONS.map(({ heading, about, settings }) => {
    const rows = Object.entries(settings).map(row);
    return `## ${heading}\n${about === undefined ? '' : `${about}\n\n`}${table(['name', 'kind', 'default', 'meaning'], rows)}\n`;
  });
  const files = `## Files\nWhich files are read can be said by variable or flag:\n\n${table(['variable', 'flag', 'meaning'], locations)}\n`;
  return [INTRODUCTION, ...sections, files, JANUS].join('\n');
}
