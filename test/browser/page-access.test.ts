/** The page for everybody: by keyboard, for screen readers, on a phone, in the dark and in the light. */
import assert from 'node:assert/strict';
import { seriousFaults } from '../support/accessibility.js';
import { browserTest, eventually, openTested, screenshot } from '../support/browser.js';
import { everybodySeesEverybody, Guest, openAll, withServer } from '../support/page-guest.js';

browserTest('axe finds nothing serious in lobby, call, details and doctor, in the dark and in the light', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    await ada.says('Good morning!');
    await bob.reads('Good morning!');
    const { page } = ada.tested;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      assert.deepEqual(await seriousFaults(ada.tested), [], `the call, ${colorScheme}`);
      await page.getByRole('button', { name: 'Details of bob' }).click();
      await page
        .getByText(/kbit.s/)
        .first()
        .waitFor();
      await page.getByRole('button', { name: 'Connection' }).click();
      await page.getByText('Path taken').waitFor();
      assert.deepEqual(await seriousFaults(ada.tested), [], `details and doctor, ${colorScheme}`);
      await page.getByRole('button', { name: 'Close' }).click();
      await screenshot(ada.tested, `page-${colorScheme}`);
      await page.getByRole('button', { name: 'Details of bob' }).click();
      const lobby = await openTested(browser, `${httpUrl}/?name=cyd&source=camera`, {}, { colorScheme });
      await lobby.page.getByText('This is what the others will see.').waitFor();
      assert.deepEqual(await seriousFaults(lobby), [], `the lobby, ${colorScheme}`);
      await lobby.close();
    }
    assert.deepEqual(
      guests.flatMap(({ tested }) => tested.complaints),
      [],
    );
  }),
);

browserTest('somebody who only has a keyboard comes in, mutes, writes, blocks and leaves', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const bob = await Guest.open(browser, httpUrl, 'bob');
    const ada = new Guest('ada', await openTested(browser, `${httpUrl}/?room=garden&name=ada`));
    guests.push(ada, bob);
    await bob.joined();
    const { page } = ada.tested;
    const focused = () =>
      ada.tested.run<string>(
        'document.activeElement?.getAttribute("aria-label") ?? (document.activeElement?.textContent.trim() || document.activeElement?.id) ?? ""',
      );
    /** Goes on by Tab until something of this name has the focus. */
    const tabTo = async (name: string) => {
      for (let steps = 0; steps < 30; steps += 1) {
        await page.keyboard.press('Tab');
        if ((await focused()) === name) return;
      }
      assert.fail(`Tab does not lead to ${name}; the last one was ${await focused()}`);
    };
    await tabTo('Join');
    await page.keyboard.press('Enter');
    await everybodySeesEverybody(guests);
    assert.equal(await ada.tested.run('document.activeElement.id'), 'call', 'the keyboard is in the call');

    await tabTo('Block bob');
    await page.keyboard.press('Enter');
    await eventually(
      'bob is blocked',
      () => ada.stateOf(bob),
      (state) => state === 'blocked',
    );
    assert.equal(await focused(), 'Unblock bob', 'the focus stays, and its name says what the button does now');
    await page.keyboard.press('Enter');
    await tabTo('Message');
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Enter');
    await bob.reads('by keyboard');
    await tabTo('Mute microphone');
    await page.keyboard.press('Space');
    assert.equal(await ada.tested.run('document.activeElement.getAttribute("aria-pressed")'), 'true');
    await tabTo('Leave');
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'Join a room', 'the keyboard is in the lobby again');
  }),
);

browserTest(
  'on a phone everything is there, nothing is wider than the screen, and buttons are wide enough',
  (browser) =>
    withServer({}, async ({ httpUrl }, guests) => {
      const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
      const bob = await Guest.open(browser, httpUrl, 'bob');
      const lobby = await openTested(browser, `${httpUrl}/?name=cyd&source=camera`, {}, phone);
      await lobby.page.getByText('This is what the others will see.').waitFor();
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      assert.equal(await lobby.run(overflow), 0, 'the lobby');
      await screenshot(lobby, 'page-phone-lobby');
      await lobby.close();
      const ada = await Guest.open(browser, httpUrl, 'ada', { source: 'camera' }, {}, phone);
      guests.push(ada, bob);
      await everybodySeesEverybody(guests);
      await bob.says('Hello, phone');
      await ada.reads('Hello, phone');
      assert.equal(await ada.tested.run(overflow), 0, 'the call');
      const low: string[] = await ada.tested.run(
        '[...document.querySelectorAll("#controls button, .caption button")].filter((one) => !one.hidden && one.offsetHeight < 44).map((one) => one.textContent)',
      );
      assert.deepEqual(low, []);
      await screenshot(ada.tested, 'page-phone');
      await ada.tested.page.getByRole('button', { name: 'Leave' }).tap();
      assert.ok(await ada.tested.page.getByRole('heading', { name: 'Join a room' }).isVisible());
    }),
);
