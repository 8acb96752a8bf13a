import { logLevel, seconds, shortText, word } from '../kinds.js';
import { setting } from '../setting.js';

export const SERVER = {
  SERVER_NAME: setting(shortText(100), 'janus-sfu', 'name in the reply to `info`'),
  DRAIN_TIMEOUT: setting(
    seconds(0, 86_400),
    '0',
    'for how long sessions may go on after SIGTERM, while no new ones are taken; 0 = they end at once',
  ),
  LOG_LEVEL: setting(
    logLevel,
    'info',
    '`fatal`, `error`, `warn`, `info`, `debug` or `silent`, or Janus’ number of it, 0 to 7',
    { aliases: ['DEBUG_LEVEL'] },
  ),
  LOG_FORMAT: setting(word(['text', 'json']), process.stderr.isTTY ? 'text' : 'json', 'form of the log', {
    shown: 'text on a terminal, else json',
  }),
};
