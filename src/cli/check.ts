import { thisMachine } from '../config/machine.js';
import { type Finding, findingLines, ok, problem, warning } from './checks/finding.js';
import { checkAddon, checkNode, checkOpenFiles } from './checks/platform.js';
import { checkTcpPorts, checkUdpPorts } from './checks/ports.js';
import { checkReachability } from './checks/reachability.js';
import { checkAuthKey, checkDataFolder } from './checks/storage.js';
import { checkTls } from './checks/tls.js';
import { type Command, CommandError, EXIT_FAILED, EXIT_OK } from './command.js';
import { type LoadedSettings, loadSettings } from './settings.js';

export const check: Command = {
  name: 'check',
  summary: 'looks whether the server can run here with these settings, and says what to do',
  usage: '[settings]',
  settings: true,
  options: [],
  async run(given, surroundings) {
    const count = { ok: 0, warning: 0, problem: 0 };
    const tell = (findings: Finding[]) => {
      for (const finding of findings) {
        count[finding.level] += 1;
        surroundings.out(findingLines(finding));
      }
    };
    tell([checkNode()]);
    let loaded: LoadedSettings | null = null;
    try {
      loaded = loadSettings(given, surroundings);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      tell(
        error.lines.map((line) => problem('settings', line, 'Correct it; docs/configuration.md lists all settings.')),
      );
    }
    if (loaded) {
      const { config, warnings, notes } = loaded;
      tell([
        ...(warnings.length + notes.length === 0 ? [ok('settings', 'make sense')] : []),
        ...notes.map((note) => warning('settings', note, 'Remove the line, or ignore this.')),
        ...warnings.map(({ setting, text }): Finding => ({ level: 'warning', topic: setting, text })),
      ]);
      tell([checkAuthKey(config), checkDataFolder(config, surroundings.folder)]);
      tell(checkTls(config));
      tell(await checkTcpPorts(config));
      tell(await checkUdpPorts(config));
      tell(await checkReachability(config, thisMachine()));
    }
    tell([checkOpenFiles(), await checkAddon({ ADDON_FOLDERS: loaded?.config.ADDON_FOLDERS ?? [] })]);
    surroundings.out(
      `${count.problem} ${count.problem === 1 ? 'problem' : 'problems'}, ${count.warning} ${count.warning === 1 ? 'warning' : 'warnings'}\n`,
    );
    return count.problem === 0 ? EXIT_OK : EXIT_FAILED;
  },
};
