// Chromium as a person has it: no trust but in the demonstration's authority, a context for each person.
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// `target-size` and `meta-refresh` are off by default in axe.
const RULES = {
  runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'] },
  rules: { 'target-size': { enabled: true }, 'meta-refresh': { enabled: true } },
};

// The figures of WCAG 1.4.12.
const SPACED_OUT = '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }';

// A sheet of the person's own. The page's policy forbids style elements, but not what a person's browser adds.
async function insertSheet(page, text) {
  return page.evaluateHandle((rules) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    document.adoptedStyleSheets.push(sheet);
    return sheet;
  }, text);
}

async function removeSheet(page, handle) {
  await page.evaluate((sheet) => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  }, handle);
}

export class Browser {
  static async launch(demonstration, pictures) {
    // Chromium trusts the key of this one certificate, after we have seen that the authority vouches for it.
    const authority = new X509Certificate(readFileSync(demonstration.facts.ca));
    const served = new X509Certificate(readFileSync(join(dirname(demonstration.facts.ca), 'tls/chain.pem')));
    if (!served.verify(authority.publicKey)) throw new Error('the authority does not vouch for the certificate');
    const key = served.publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(key).digest('base64');
    const chromiumItself = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        `--ignore-certificate-errors-spki-list=${pin}`,
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new Browser(chromiumItself, demonstration, pictures);
  }

  constructor(chromiumItself, demonstration, pictures) {
    this.chromium = chromiumItself;
    this.demonstration = demonstration;
    this.pictures = pictures;
    this.contexts = [];
    this.requests = 0;
    this.foreign = new Set();
  }

  // A person with a browser of their own.
  async person(options = {}) {
    const context = await this.chromium.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(15_000);
    this.contexts.push(context);
    context.on('request', (request) => {
      this.requests += 1;
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && !/(^|\.)localhost$/.test(hostname)) this.foreign.add(request.url());
    });
    return context.newPage();
  }

  // A page is complete, accessible, fits its window, and is photographed.
  async look(page, name) {
    await page.waitForLoadState('load');
    await this.assertAccessible(page, name);
    await this.assertFits(page, name);
    await page.screenshot({ path: join(this.pictures, `${name}.png`), fullPage: true });
  }

  async assertAccessible(page, name) {
    // The page's own policy forbids scripts that are not its own: axe comes by the debugger, not by a script element.
    await page.evaluate(axe);
    const { violations } = await page.evaluate((rules) => globalThis.axe.run(document, rules), RULES);
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
    if (found.length > 0) throw new Error(`axe on ${name} (${page.url()}):\n${found.join('\n')}`);
  }

  async assertFits(page, name) {
    const [wide, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    if (wide > window_) throw new Error(`${name} is ${wide} px wide in a window of ${window_} px`);
  }

  // WCAG 1.4.12: whoever spaces letters, words, lines and paragraphs out loses nothing.
  async assertFitsSpacedOut(page, name) {
    const sheet = await insertSheet(page, SPACED_OUT);
    try {
      const spacing = await page.evaluate(() => getComputedStyle(document.querySelector('h1')).letterSpacing);
      if (!(Number.parseFloat(spacing) > 1)) throw new Error(`${name}: the sheet is not in force: ${spacing}`);
      await this.assertFits(page, `${name}, text spaced out`);
      await this.assertNothingIsCut(page, `${name}, text spaced out`);
    } finally {
      await removeSheet(page, sheet);
    }
  }

  // WCAG 1.4.4: at twice the size of text, in a window wide enough for it, nothing is cut.
  async assertFitsEnlarged(page, name) {
    const size = () => page.evaluate(() => Number.parseFloat(getComputedStyle(document.querySelector('h1')).fontSize));
    const before = await size();
    const sheet = await insertSheet(page, 'html { font-size: 225% !important; }');
    try {
      if (!(await size() > 1.5 * before)) throw new Error(`${name}: the text is no larger`);
      await this.assertFits(page, `${name}, text at 200 %`);
      await this.assertNothingIsCut(page, `${name}, text at 200 %`);
    } finally {
      await removeSheet(page, sheet);
    }
  }

  // No element with text of its own hides part of it. What is for screen readers alone is one pixel wide, on purpose.
  async assertNothingIsCut(page, name) {
    const cut = await page.evaluate(() => [...document.body.querySelectorAll('*')]
      .filter((element) => element.clientWidth > 1 && element.checkVisibility() && !['INPUT', 'SVG'].includes(element.tagName.toUpperCase()))
      .filter((element) => ['hidden', 'clip'].includes(getComputedStyle(element).overflowX) || ['hidden', 'clip'].includes(getComputedStyle(element).overflowY))
      .filter((element) => element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)
      .map((element) => element.outerHTML.slice(0, 200)));
    if (cut.length > 0) throw new Error(`${name}: text is cut:\n${cut.join('\n')}`);
  }

  // Ours are 44 px high; a link within a sentence need not be (WCAG 2.5.8 asks for 24 and excepts it).
  async assertTargets(page, name) {
    const small = await page.evaluate(() => [...document.querySelectorAll('button, a.primary, a.secondary, input:not([type=hidden]):not([type=radio]):not([type=checkbox]), select')]
      .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 43.9)
      .map((element) => `${element.getBoundingClientRect().height} px: ${element.outerHTML.slice(0, 200)}`));
    if (small.length > 0) throw new Error(`${name}: too small to touch:\n${small.join('\n')}`);
  }

  // The Tab key stops at everything that can be operated, in the order of reading, is seen there, and leaves the page.
  async assertTabWalk(page, name) {
    const stops = await page.evaluate(() => {
      const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
        .filter((element) => element.checkVisibility() && !element.disabled);
      // Of a group of radio buttons the chosen one is the stop.
      const walked = all.filter((element) => element.type !== 'radio' || element.checked
        || !all.some((other) => other.type === 'radio' && other.name === element.name && other.checked));
      walked.forEach((element, number) => { element.dataset.stop = number; });
      document.activeElement?.blur?.();
      getSelection().removeAllRanges();
      // Tab goes on from where the eye is: the top.
      const top = document.createElement('span');
      top.tabIndex = -1;
      document.body.prepend(top);
      top.focus();
      top.remove();
      return walked.length;
    });
    try {
      for (let stop = 0; stop < stops; stop += 1) {
        await page.keyboard.press('Tab');
        const seen = await page.evaluate(() => {
          const { activeElement } = document;
          const box = activeElement.getBoundingClientRect();
          const style = getComputedStyle(activeElement);
          const middle = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
          return {
            stop: activeElement.dataset.stop,
            html: activeElement.outerHTML.slice(0, 200),
            ring: style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2,
            inWindow: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
            hidden: middle !== null && !activeElement.contains(middle) && !middle.contains(activeElement) && middle.closest('label')?.control !== activeElement,
          };
        });
        if (seen.stop !== String(stop)) throw new Error(`${name}: stop ${stop} of ${stops} is number ${seen.stop}: ${seen.html}`);
        if (!seen.ring) throw new Error(`${name}: the focus is not seen on ${seen.html}`);
        if (!seen.inWindow || seen.hidden) throw new Error(`${name}: something hides the focused ${seen.html}`);
      }
      if (stops > 0) {
        await page.keyboard.press('Tab');
        const still = await page.evaluate(() => document.activeElement.dataset.stop);
        if (still === String(stops - 1) && stops > 1) throw new Error(`${name}: the last stop is a trap`);
      }
    } finally {
      await page.evaluate(() => {
        document.querySelectorAll('[data-stop]').forEach((element) => { delete element.dataset.stop; });
        document.activeElement?.blur?.();
        scrollTo(0, 0);
      });
    }
  }

  // In forced colours a background says nothing: every control and every notice has a border of its own.
  async assertForcedColours(page, name) {
    await page.emulateMedia({ forcedColors: 'active' });
    try {
      const bare = await page.evaluate(() => {
        if (!matchMedia('(forced-colors: active)').matches) return ['forced colours are not in force'];
        return [...document.querySelectorAll('button:not([aria-current]), a.primary, a.secondary, .notice, .card, input:not([type=hidden]):not([type=radio]):not([type=checkbox])')]
          .filter((element) => element.checkVisibility())
          .filter((element) => {
            const style = getComputedStyle(element);
            const ground = getComputedStyle(document.body).backgroundColor;
            const sides = ['Top', 'Bottom', 'Left', 'Right'];
            const isFramed = sides.some((side) => Number.parseFloat(style[`border${side}Width`]) > 0 && style[`border${side}Style`] !== 'none' && style[`border${side}Color`] !== ground);
            // What looks like a link is told by its line, and the language that is chosen by its weight and by having none.
            return !isFramed && !style.textDecorationLine.includes('underline');
          })
          .map((element) => element.outerHTML.slice(0, 200));
      });
      if (bare.length > 0) throw new Error(`${name}: without a border in forced colours:\n${bare.join('\n')}`);
    } finally {
      await page.emulateMedia({ forcedColors: 'none' });
    }
  }

  // Whoever asks for more contrast gets 7:1 for text (WCAG 1.4.6) and 4.5:1 for the lines around what is operated.
  async assertMoreContrast(page, name) {
    await page.emulateMedia({ contrast: 'more' });
    try {
      const faint = await page.evaluate(async () => {
        if (!matchMedia('(prefers-contrast: more)').matches) return ['more contrast is not in force'];
        const { violations } = await globalThis.axe.run(document, { runOnly: ['color-contrast-enhanced'], rules: { 'color-contrast-enhanced': { enabled: true } } });
        const texts = violations.flatMap(({ nodes }) => nodes.map((node) => `${node.any[0]?.message} ${node.html}`));
        const light = (colour) => {
          const [red, green, blue] = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const ratio = (one, other) => {
          const [dim, bright] = [light(one), light(other)].sort((a, b) => a - b);
          return (bright + 0.05) / (dim + 0.05);
        };
        const ground = getComputedStyle(document.querySelector('.card') ?? document.body).backgroundColor;
        const lines = [...document.querySelectorAll('button:not(.quiet), a.primary, a.secondary, input[type=text], input[type=password], .choice, .card, .notice, .cards > li, .services a')]
          .filter((element) => element.checkVisibility())
          .map((element) => [element, ratio(getComputedStyle(element).borderBottomColor, ground)])
          .filter(([, contrast]) => contrast < 4.5)
          .map(([element, contrast]) => `${contrast.toFixed(2)}:1 around ${element.outerHTML.slice(0, 200)}`);
        return [...texts, ...lines];
      });
      if (faint.length > 0) throw new Error(`${name}: too faint for whoever asks for more contrast:\n${faint.join('\n')}`);
    } finally {
      await page.emulateMedia({ contrast: null });
    }
  }

  assertNoForeignRequests() {
    if (this.requests < 50) throw new Error(`only ${this.requests} requests were watched`);
    if (this.foreign.size > 0) throw new Error([...this.foreign].join('\n'));
  }

  async closeContexts() {
    await Promise.all(this.contexts.splice(0).map((context) => context.close()));
  }

  async close() {
    await this.chromium.close();
  }
}
