// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type Frame, terminalSvg } from '../../src/recording/terminal-svg.ts';

const plain = (text: string) => [{ text, color: undefined }];
const recorded = (...frames: readonly Frame[]): string =>
  terminalSvg({ columns: 20, rows: 3, frames, holdMs: 1000, title: 'a <title>' });

it('a recording shows every frame in its time, and its last where nothing moves', () => {
  const svg = recorded({ at: 0, lines: [plain('one')] }, { at: 1000, lines: [plain('two')] });
  expect(svg).toContain('<title>a &lt;title&gt;</title>');
  const groups = svg.split('\n').filter((line) => line.startsWith('<g visibility'));
  expect(groups).toEqual([
    expect.stringMatching(
      /^<g visibility="hidden"><use href="#l0" y="0"\/>.*dur="2000ms".*"visible;hidden" keyTimes="0;0.5"/,
    ),
    expect.stringMatching(
      /^<g visibility="visible"><use href="#l1" y="0"\/>.*"hidden;visible;hidden" keyTimes="0;0.5;1"/,
    ),
  ]);
});

it('lines are drawn once however many frames have them, and empty ones not at all', () => {
  const svg = recorded({ at: 0, lines: [plain('same')] }, { at: 10, lines: [[], plain('same'), plain('   ')] });
  expect(svg.match(/<text/g)).toHaveLength(1);
  expect(svg).toContain('<use href="#l0" y="19"/>');
});

it('colours are those of the terminal, and text is no markup', () => {
  const line = [
    { text: 'a<b>&', color: undefined },
    { text: '==', color: 6 },
    { text: 'c', color: 200 },
  ];
  const svg = recorded({ at: 0, lines: [line] });
  expect(svg).toContain('>a&lt;b&gt;&amp;</text>');
  expect(svg).toContain('<text x="56" y="28" textLength="16.8" style="fill:#76e3ea">==</text>');
  expect(svg).toMatch(/<text x="72.8"[^>]*textLength="8.4">c</);
});
