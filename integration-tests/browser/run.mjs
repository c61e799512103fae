// Drives a real Chromium through the pages of a demonstration of its own. Ends with `N passed, N failed`.
//   node browser/run.mjs [--all]     --all also takes every page in both languages, both colour schemes, three widths
import { mkdirSync } from 'node:fs';
import { start } from './demonstration.mjs';
import { Browser } from './browser.mjs';
import * as journeys from './journeys.mjs';
import { everyPage } from './gallery.mjs';

const all = process.argv.includes('--all');
const pictures = process.env.OCTROI_SCREENSHOTS ?? 'target/screenshots';
mkdirSync(pictures, { recursive: true });

let passed = 0;
let failed = 0;

const demonstration = await start();
const browser = await Browser.launch(demonstration, pictures);

async function check(name, steps) {
  const started = Date.now();
  try {
    await steps(browser, demonstration);
    passed += 1;
    console.log(`ok      ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).split('\n').join('\n        ')}`);
  } finally {
    await browser.closeContexts();
  }
}

try {
  for (const [name, steps] of Object.entries(journeys)) {
    await check(name.replaceAll('_', ' '), steps);
  }
  if (all) await check('every page in each language, scheme and width', everyPage);
  await check('nothing went to another host', async () => browser.assertNoForeignRequests());
} finally {
  await browser.close();
  await demonstration.stop();
}

console.log(`pictures: ${pictures}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
