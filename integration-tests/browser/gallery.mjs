// Every page in every state, in both languages, both colour schemes and three widths: for axe, and for people to look at.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import * as states from './states.mjs';

// axe looks at the narrowest and the widest; what fits both fits between.
const WIDTHS = [{ width: 320, axe: true }, { width: 768, axe: false }, { width: 1280, axe: true }];
// What a service of the demonstration shows, and letters, on which nothing is operated.
const OF_OTHERS = new Set(['payroll', 'visitors', 'echo', 'letter', 'letter-printed']);
const LOCALES = ['fr-FR', 'en-GB'];
const SCHEMES = ['light', 'dark'];

export async function everyPage(browser, demonstration) {
  const silent = createServer(() => {});
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const gallery = new Gallery(browser, demonstration);
  const walks = Object.values(states).filter((exported) => typeof exported === 'function');
  try {
    await demonstration.configure(failingServices(silent.address().port));
    for (const locale of LOCALES) {
      for (const colorScheme of SCHEMES) {
        for (const walk of walks) await walk(new Wall(gallery, { locale, colorScheme }));
        await browser.closeContexts();
      }
    }
  } finally {
    silent.closeAllConnections?.();
    silent.close();
  }
  gallery.writeCatalogue();
  if (gallery.problems.length > 0) throw new Error(gallery.problems.join('\n'));
}

// Two services that people meet on a bad day: one that is not there, one that never answers.
function failingServices(silentPort) {
  const route = (host, to, more) => `\n[[route]]\nhost = "${host}"\nto = "${to}"\nsign_in = "public"\n${more}`;
  return route(states.ABSENT, 'http://127.0.0.1:1', '')
    + route(states.SILENT, `http://127.0.0.1:${silentPort}`, 'timeouts = { response = "1s" }\n');
}

class Gallery {
  constructor(browser, demonstration) {
    this.browser = browser;
    this.demonstration = demonstration;
    this.taken = new Map();
    this.problems = [];
  }

  // One page on which all pictures hang: rows of states, columns of language and scheme.
  writeCatalogue() {
    const columns = LOCALES.flatMap((locale) => SCHEMES.map((scheme) => `${locale.slice(0, 2)}-${scheme}`));
    const figure = (name, column, width) => `<a href="all-${name}-${column}-${width}.png"><img loading="lazy" width="${width / 3}" alt="${name}, ${column}, ${width} px" src="all-${name}-${column}-${width}.png"></a>`;
    const rows = [...this.taken.keys()].map((name) => `<h2>${name}</h2>\n<p>${columns.map((column) => figure(name, column, 320)).join('')}</p>\n<p>${columns.map((column) => figure(name, column, 1280)).join('')}</p>`);
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pages of octroi</title><style>img { border: 1px solid; margin: 4px; vertical-align: top }</style>\n<h1>Pages of octroi</h1>\n${rows.join('\n')}\n`;
    writeFileSync(join(this.browser.pictures, 'index.html'), html);
  }
}

// The pictures of one language and scheme, and what is needed to take them.
export class Wall {
  constructor(gallery, { locale, colorScheme }) {
    this.browser = gallery.browser;
    this.demonstration = gallery.demonstration;
    this.taken = gallery.taken;
    this.problems = gallery.problems;
    this.options = { locale, colorScheme };
    this.language = locale.slice(0, 2);
    this.name = `${this.language}-${colorScheme}`;
  }

  // A person with a browser of their own, which remembers the status of the page that it shows.
  async person(options = {}) {
    const page = await this.browser.person({ ...this.options, ...options });
    page.on('response', (response) => {
      const isPage = response.request().isNavigationRequest() && response.frame() === page.mainFrame();
      if (isPage) page.shownStatus = response.status();
    });
    return page;
  }

  // Hangs up what the page shows now, at each width; the status tells that it is the page that was meant.
  async hang(page, name, status = 200) {
    await page.waitForLoadState('load');
    if (status !== null && page.shownStatus !== status) {
      throw new Error(`${name}: status ${page.shownStatus} in place of ${status} at ${page.url()}`);
    }
    const language = await page.getAttribute('html', 'lang');
    if (language !== this.language) throw new Error(`${name}: the page is in ${language}`);
    for (const { width, axe } of WIDTHS) {
      const title = `all-${name}-${this.name}-${width}`;
      await page.setViewportSize({ width, height: 800 });
      if (axe) await this.browser.assertAccessible(page, title);
      await this.browser.assertFits(page, title);
      await this.assertFitsOvernight(page, title);
      await this.browser.assertFitsSpacedOut(page, title);
      if (width === 1280) await this.browser.assertFitsEnlarged(page, title);
      if (!OF_OTHERS.has(name)) await this.browser.assertTargets(page, title);
      mkdirSync(this.browser.pictures, { recursive: true });
      await page.screenshot({ path: join(this.browser.pictures, `${title}.png`), fullPage: true });
    }
    if (!OF_OTHERS.has(name)) {
      await this.hold(this.browser.assertForcedColours(page, `${name} ${this.name}`));
      await this.hold(this.browser.assertMoreContrast(page, `${name} ${this.name}`));
      await this.hold(this.browser.assertTabWalk(page, `${name} ${this.name}`));
    }
    this.taken.set(name, true);
  }

  // What is wrong with one page keeps nobody from looking at the others.
  async hold(assertion) {
    await assertion.catch((error) => this.problems.push(error.message));
  }

  // A session that ends on another day says so in the line at the top, which is then at its longest.
  async assertFitsOvernight(page, title) {
    const longest = this.language === 'fr' ? '30 septembre à 00 h 15' : '30 September at 00:15';
    const said = await page.evaluate((text) => {
      const time = document.querySelector('.session time');
      const before = time?.textContent;
      if (time) time.textContent = text;
      return before;
    }, longest);
    if (said === undefined) return;
    await this.browser.assertFits(page, `${title} overnight`);
    await page.evaluate((text) => { document.querySelector('.session time').textContent = text; }, said);
  }

  // Does what leads on, and stays on the page that would go on by itself.
  async stayOn(page, pattern, act) {
    const stopped = page.waitForEvent('requestfailed', (request) => request.isNavigationRequest());
    await page.route(pattern, (route) => route.abort('aborted'));
    await act();
    await stopped;
    await page.unroute(pattern);
  }
}
