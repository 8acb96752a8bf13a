import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listen, newTalking } from '../../workers/talking.js';
import { AUDIO_PT, Stage } from '../support/engine.js';
import { type Element, element, rtp } from '../support/rtp.js';

/** What is said of these levels (dBov; null: no packet), one look after the other. */
function heard(levels: (number | null)[]): string[] {
  const state = newTalking();
  return levels.flatMap((level, look) =>
    listen(state, level === null ? 0 : 127 + level) ? [`${state.talking ? 'talks' : 'stops'} at ${look}`] : [],
  );
}

const times = (count: number, level: number | null) => Array<number | null>(count).fill(level);

describe('who talks', () => {
  test('is told soon after the first word and a while after the last', () => {
    const said = heard([...times(10, -70), ...times(20, -25), ...times(40, null)]);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? '', /^talks at 1[1-4]$/);
    assert.match(said[1] ?? '', /^stops at (3[89]|4\d)$/);
  });

  test('is not told of silence, noise or a click', () => {
    assert.deepEqual(heard(times(200, null)), []);
    assert.deepEqual(heard(times(200, -55)), []);
    assert.deepEqual(heard([...times(10, -60), -10, ...times(20, -60)]), []);
  });

  test('is one stretch with short pauses between the words', () => {
    const words = Array.from({ length: 10 }, () => [...times(8, -25), ...times(4, -65)]).flat();
    assert.equal(heard(words).length, 1);
  });
});

describe('the level of a publisher', () => {
  const LEVEL = 3;
  const level = (dBov: number, voice = false) => element(LEVEL, (voice ? 0x80 : 0) | -dBov);

  test('is the loudest since it was last asked for, with or without the voice bit', async () => {
    const stage = await Stage.open('vp8', { audioLevel: LEVEL });
    let sequence = 0;
    const send = (...elements: Element[]) =>
      stage.receive(rtp({ payloadType: AUDIO_PT, sequence: ++sequence, elements }), 1000);
    assert.equal(stage.engine.takeLoudness(stage.audio), 0);
    for (const dBov of [-90, -30, -60]) send(level(dBov, dBov === -60));
    assert.equal(stage.engine.takeLoudness(stage.audio), 97);
    assert.equal(stage.engine.takeLoudness(stage.audio), 0);
    send(level(-127));
    send();
    send(element(LEVEL, 1, 2));
    assert.equal(stage.engine.takeLoudness(stage.audio), 0, 'silence, no level, and one of a wrong length');
    assert.equal(stage.engine.takeLoudness(stage.video), 0);
    assert.equal(stage.engine.takeLoudness(9999), 0);
  });
});
