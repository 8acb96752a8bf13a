import type { ReadFile } from './files.js';
import { parseIni } from './ini.js';
import type { Given } from './source.js';

/** The reference plugin's own file, beside those of Janus. */
export const JANUS_PLUGIN_FILE = 'janus.plugin.sfu.cfg';

/** Its keys, by our variables. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ['auth_key', 'AUTH_KEY'],
  ['max_room_size', 'MAX_ROOM_SIZE'],
  ['max_ccu', 'MAX_CCU'],
  ['message_threads', 'MESSAGE_THREADS'],
]);

/** Reads `janus.plugin.sfu.cfg`. As the plugin does, it looks at the section `general` only and leaves unknown keys alone. */
export function readJanusPluginFile(text: string): ReadFile {
  const { entries, problems } = parseIni(text);
  const values = new Map<string, Given>();
  const notes: string[] = [];
  for (const { section, key, value, line } of entries) {
    const variable = section === 'general' ? KEYS.get(key) : undefined;
    if (variable) values.set(variable, { value, said: `${JANUS_PLUGIN_FILE}: ${key}=` });
    else notes.push(`${JANUS_PLUGIN_FILE}: line ${line}, ${key}, is not known and has no effect`);
  }
  return {
    source: { name: JANUS_PLUGIN_FILE, values },
    problems: problems.map((problem) => `${JANUS_PLUGIN_FILE}: ${problem}`),
    notes,
  };
}
