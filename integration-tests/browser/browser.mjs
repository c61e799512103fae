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
