/** What somebody sends by the page: devices with a preview, mutes, a screen beside the camera. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import { atRest, browserTest, eventually, openTested, screenshot } from '../support/browser.js';
import { everybodySeesEverybody, Guest, openAll, withServer } from '../support/page-guest.js';

browserTest('devices are chosen with a preview, and what was shown is what the others get', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const bob = await Guest.open(browser, httpUrl, 'bob');
    guests.push(bob);
    await bob.joined();
    const tested = await openTested(browser, `${httpUrl}/?room=garden&name=ada`);
    const ada = new Guest('ada', tested);
    guests.push(ada);
    const { page } = tested;
    const shown = () => tested.run<number>("document.querySelector('#preview video').videoWidth");
    await eventually('the pattern is shown', shown, (width) => width > 0);

    await page.getByRole('radio', { name: 'Camera and microphone' }).check();
    const cameras = page.getByRole('combobox', { name: 'Camera' });
    await eventually(
      'cameras are named',
      () => cameras.locator('option').allTextContents(),
      (names) => names.length > 1 && names.every((name) => name !== ''),
    );
    await cameras.selectOption({ index: 1 });
    await eventually('the chosen camera is shown', shown, (width) => width > 0);
    await eventually(
      'the microphone moves the bar',
      () => tested.run<number>("document.querySelector('#preview meter').value"),
      (level) => level > 0,
    );
    await screenshot(tested, 'page-lobby');
    const track: string = await tested.run("document.querySelector('#preview video').srcObject.getVideoTracks()[0].id");
    await page.getByRole('button', { name: 'Join' }).click();
    await ada.joined();
    await everybodySeesEverybody(guests);
    const sent: string[] = await tested.run('probe.senders().flatMap((pc) => pc.getSenders().map((s) => s.track?.id))');
    assert.ok(sent.includes(track), 'the camera was not opened a second time');
    const chosen = await page.locator('#camera').inputValue();
    assert.notEqual(chosen, '', 'the choice is the same in the call');
  }),
);

browserTest('a device that is unplugged while it is in use is replaced by another one', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob'], { source: 'camera' });
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    await ada.tested.page.locator('#camera').selectOption({ index: 1 });
    await bob.sees(ada);
    await ada.tested.run(`(() => {
      navigator.mediaDevices.enumerateDevices = async () => [];
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    })()`);
    await eventually(
      'the browser’s choice is taken',
      () => ada.tested.page.locator('#camera').inputValue(),
      (chosen) => chosen === '',
    );
    await bob.sees(ada);
  }),
);

browserTest('a muted microphone is silent for the others, a hidden picture stops, and both come back', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob'], { source: 'camera' });
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    const { page } = ada.tested;
    const speaking = () =>
      bob.tested.run<string>(`document.querySelector('.tile[data-user^="ada~"]').dataset.speaking`);
    await eventually('ada is seen to talk', speaking, (value) => value === 'true');

    const microphone = page.getByRole('button', { name: 'Mute microphone' });
    await microphone.click();
    assert.equal(await microphone.getAttribute('aria-pressed'), 'true');
    await bob.seesMuted(ada, true);
    const [cara] = await openAll(browser, httpUrl, guests, ['cara'], { source: 'none' });
    assert.ok(cara);
    await cara.seesMuted(ada, true);
    await cara.seesMuted(bob, false);
    await cara.tested.close();
    await eventually('ada is seen to be silent', speaking, (value) => value === 'false');
    // Silence has a little energy: a millionth of the tone's.
    await atRest('what bob hears', async () => Math.round((await bob.received(ada)).audioEnergy * 1e5));

    const picture = page.getByRole('button', { name: 'Hide my picture' });
    await picture.click();
    await eventually(
      'the camera is off',
      () =>
        ada.tested.run<number>(
          'probe.senders().flatMap((pc) => pc.getSenders()).filter((s) => s.track?.kind === "video").length',
        ),
      (count) => count === 0,
    );
    await eventually(
      'bob sees the initial in place of the picture',
      () => bob.tested.run<string>(`document.querySelector('.tile[data-user^="ada~"]').dataset.video`),
      (shown) => shown === 'false',
    );
    const live = () =>
      ada.tested.run<number>(
        'probe.opened().filter((track) => track.kind === "video" && track.readyState === "live").length',
      );
    assert.equal(await live(), 0, 'no camera is on');
    await page.locator('#camera').selectOption({ index: 1 });
    await eventually('the other camera is off too', live, (count) => count === 0);
    await picture.click();
    await microphone.click();
    await bob.seesMuted(ada, false);
    await everybodySeesEverybody([ada, bob]);
    assert.equal(await live(), 1, 'one camera is on');
  }),
);

browserTest('a screen is shared beside the camera, goes with its owner’s blocks, and ends by the button', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    const share = ada.tested.page.getByRole('button', { name: 'Share screen' });
    await share.click();
    const tile = `.tile[data-user^="ada~"][data-user$=" (screen)"]:not([data-state=left])`;
    const stateAtBob = () => bob.tested.run<string | null>(`document.querySelector('${tile}')?.dataset.state ?? null`);
    const picture = () => bob.tested.run<string | null>(`document.querySelector('${tile}')?.dataset.video ?? null`);
    await eventually('bob sees the screen', picture, (shown) => shown === 'true', 20_000);
    assert.equal(await share.getAttribute('aria-pressed'), 'true');
    await everybodySeesEverybody(guests);
    await bob.reads('ada shares a screen.');
    await screenshot(bob.tested, 'page-screen');
    const fullScreen = bob.tested.page.getByRole('button', { name: 'Full screen: ada: screen' });
    await fullScreen.click();
    const filled = () => bob.tested.run<string | null>('document.fullscreenElement?.dataset.kind ?? null');
    await eventually('the screen fills the screen', filled, (kind) => kind === 'screen');
    await fullScreen.click();
    await eventually('and is a tile again', filled, (kind) => kind === null);
    const own: number = await ada.tested.run("document.querySelectorAll('.tile').length");
    assert.equal(own, 3, 'ada sees herself, her screen and bob: the screen does not come back to her');

    await bob.press(ada, 'Block');
    await eventually('the screen is blocked too', stateAtBob, (state) => state === 'blocked');
    await bob.press(ada, 'Unblock');
    await eventually('and is back', picture, (shown) => shown === 'true');
    await ada.press(bob, 'Block');
    await eventually('its owner’s block hides it', stateAtBob, (state) => state === 'blocked');
    await ada.press(bob, 'Unblock');
    await eventually('and shows it', picture, (shown) => shown === 'true');

    await share.click();
    await eventually('the screen is gone', stateAtBob, (state) => state === null);
    assert.equal(await share.getAttribute('aria-pressed'), 'false');
    await everybodySeesEverybody(guests);
  }),
);

browserTest('who has a token for one user alone is told why the screen is refused, and stays', async (browser) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-screen-'));
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = path.join(folder, 'key.der');
  writeFileSync(keyFile, publicKey.export({ type: 'pkcs1', format: 'der' }));
  try {
    await withServer({ env: { AUTH_KEY: keyFile } }, async ({ httpUrl }, guests) => {
      const claims = { join_hub: true, room_ids: ['garden'], user_id: 'ada' };
      const token = jwt.sign(claims, privateKey, { algorithm: 'RS512', expiresIn: 300 });
      const ada = await Guest.open(browser, httpUrl, 'ada', { token, user: 'ada' });
      guests.push(ada);
      await ada.joined();
      const share = ada.tested.page.getByRole('button', { name: 'Share screen' });
      await share.click();
      await ada.noticed(/a screen is a second one in the room/);
      assert.equal(await share.getAttribute('aria-pressed'), 'false');
      assert.equal(await ada.status(), 'joined');
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
