import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { figuresPage } from '../../bench/report/page.js';
import { plot, ticksTo } from '../../bench/report/plot.js';
import { median, slope } from '../../bench/report/statistics.js';
import { table } from '../../bench/report/table.js';

describe('a plot', () => {
  const drawn = plot({
    title: 'Cost & <size>',
    description: 'What "it" is',
    x: 'peers',
    y: 'us',
    series: [
      {
        name: 'ours',
        points: [
          [100, 10],
          [0, 0],
          [50, Number.NaN],
        ],
      },
      { name: 'loop', points: [[50, 20]] },
    ],
  });

  test('is one SVG document with a title and a description, whatever characters they have', () => {
    assert.match(drawn, /^<svg [^>]*role="img" aria-labelledby="title description">/);
    assert.match(drawn, /<title id="title">Cost &amp; &lt;size&gt;<\/title>/);
    assert.match(drawn, /<desc id="description">What &quot;it&quot; is<\/desc>/);
    const opened = [...drawn.matchAll(/<(\w+)[^>]*(?<!\/)>/g)].map(([, name]) => name);
    const closed = [...drawn.matchAll(/<\/(\w+)>/g)].map(([, name]) => name);
    assert.deepEqual(opened.sort(), closed.sort());
  });

  test('joins the points of a series from left to right and leaves out what is no number', () => {
    assert.match(drawn, /<g class="s0">\n<path class="line" d="M70 344L696 214"/);
    assert.doesNotMatch(drawn, /NaN|undefined|Infinity/);
    assert.equal([...drawn.matchAll(/<title>ours: /g)].length, 2);
  });

  test('tells series apart without colour, and has colours for dark and light', () => {
    const kinds = [0, 1].map((kind) => new RegExp(`<g class="s${kind}">\\n.*?stroke-dasharray="([^"]*)"`, 's'));
    assert.equal(new Set(kinds.map((kind) => kind.exec(drawn)?.[1])).size, 2);
    assert.match(drawn, /prefers-color-scheme:dark/);
  });

  test('of nothing is an empty pair of axes', () => {
    const empty = plot({ title: 't', description: 'd', x: 'x', y: 'y', series: [{ name: 'none', points: [] }] });
    assert.doesNotMatch(empty, /NaN|undefined|Infinity/);
  });

  test('has round figures on its axes, up to the largest value at least', () => {
    assert.deepEqual(ticksTo(1000), [0, 200, 400, 600, 800, 1000]);
    assert.deepEqual(ticksTo(0.27), [0, 0.1, 0.2, 0.3]);
    assert.deepEqual(ticksTo(7), [0, 2, 4, 6, 8]);
    assert.deepEqual(ticksTo(0), [0, 1]);
  });
});

describe('figures of a few runs', () => {
  test('have the value in the middle, or the mean of the two there', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 10, 2]), 3);
    assert.ok(Number.isNaN(median([])));
  });

  test('grow by so much from one to the next', () => {
    assert.equal(slope([1, 3, 5, 7]), 2);
    assert.equal(slope([5, 5]), 0);
  });

  test('make a table of Markdown with figures to the right', () => {
    assert.equal(
      table([
        { what: 'one', 'us each': '1.25' },
        { what: 'another', 'us each': '10' },
      ]),
      '| what    | us each |\n| ------- | ------: |\n| one     |    1.25 |\n| another |      10 |',
    );
  });
});

test('the page of figures says of each question when, where and how it was measured, and shows its plots', () => {
  const page = figuresPage([
    {
      question: 'pps',
      summary: 'cost against rate',
      date: '2026-01-02T03:04:05Z',
      machine: 'linux x64, 2 x CPU',
      node: '20.1.0',
      nodeDatachannel: '0.33.4',
      rows: [{ figure: 'cost', value: '5.2', unit: 'us', goal: '' }],
      plots: { 'cost-pps': 'CPU & rate' },
    },
  ]);
  assert.match(
    page,
    /^## Cost against rate\n\n {4}npm run bench -- --only pps\n\n2026-01-02, linux x64, 2 x CPU, Node 20\.1\.0/m,
  );
  assert.match(page, /^!\[CPU & rate\]\(cost-pps\.svg\)$/m);
});
