// What people do, in a real browser. Each exported function is one journey; its name says what it shows.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const GOOD = 'quatre chevaux sous la pluie';
const PAYROLL = 'paie.localhost';
const ECHO = 'echo.localhost';
const BUILDING = 'visites.localhost';

export async function an_invitation_leads_to_the_payroll_and_a_role_ends_there(browser, demonstration) {
  const { link } = await demonstration.octroi('user', 'invite', 'acme/nadia', '--name', 'Nadia Roux', '--role', 'rh');
  const page = await browser.person();
  await page.goto(link);
  await browser.look(page, 'first-password');
  await page.fill('#new', 'short');
  await page.click('button.primary');
  await page.waitForSelector('#problems');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'problems', 'the errors have the focus');
  await browser.look(page, 'first-password-refused');
  await page.fill('#new', GOOD);
  await page.check('#computer-private');
  await page.click('button.primary');
  await page.waitForURL(/account/);
  await browser.look(page, 'account');

  await page.goto(demonstration.url(PAYROLL));
  assert.equal(new URL(page.url()).hostname, PAYROLL, 'the second host asks nothing');
  assert.equal(await page.locator('#password').count(), 0);
  await browser.look(page, 'payroll');

  const answer = await page.goto(demonstration.url(BUILDING));
  assert.equal(answer.status(), 403);
  assert.ok((await page.locator('#reference').textContent()).length > 8, 'a reference to quote');
  await browser.look(page, 'refused');

  const spent = await (await browser.person()).goto(link);
  assert.equal(spent.status(), 410);
}

export async function a_session_is_ended_from_another_browser(browser, demonstration) {
  const lost = await signIn(browser, demonstration, 'acme/marie', { private: true });
  await lost.goto(demonstration.url(ECHO));
  const mine = await signIn(browser, demonstration, 'acme/marie', { private: true });
  await mine.goto(`${demonstration.portal}/.octroi/account/sessions`);
  await browser.look(mine, 'sessions');
  await mine.locator('form[action$="/sessions/end-others"] button').click();
  await mine.waitForLoadState('load');
  await browser.look(mine, 'sessions-ended');
  await lost.goto(demonstration.url(ECHO));
  await lost.waitForSelector('#password');
  await mine.goto(demonstration.url(ECHO));
  assert.equal(await mine.locator('#password').count(), 0, 'mine goes on');
}

export async function after_a_public_computer_nothing_is_left(browser, demonstration) {
  const page = await signIn(browser, demonstration, 'acme/marie', { private: false });
  const context = page.context();
  await page.goto(demonstration.url(PAYROLL));
  const secret = (await page.locator('main').innerText()).slice(0, 200);
  assert.match(secret, /Payslips/);
  await page.goto(demonstration.url(ECHO));
  await page.reload();
  await page.waitForFunction(() => document.getElementById('kept').textContent !== '');
  const before = await cookieNames(context);
  for (const kept of [`${ECHO} echo-visits`, `${ECHO} __Host-octroi`, `${PAYROLL} __Host-octroi`]) {
    assert.ok(before.includes(kept), `${kept} is not among ${before}: this test would show nothing`);
  }

  await page.goto(`${demonstration.portal}/.octroi/logout`);
  await browser.look(page, 'sign-out');
  await page.locator('main form button.primary').click();
  // Each host that was used is visited once more, to be cleared; the last one says so.
  await page.waitForURL((url) => url.search.includes('round='));
  await page.waitForLoadState('networkidle');
  await browser.look(page, 'signed-out');
  const said = await page.locator('main').innerText();
  for (const host of [PAYROLL, ECHO]) assert.ok(said.includes(host), `${host} is not named among what was cleared: ${said}`);
  assert.deepEqual(await cookieNames(context), [], 'no cookie is left');

  for (let step = 0; step < 6; step += 1) {
    await page.goBack({ waitUntil: 'load' }).catch(() => null);
    const shown = await page.locator('body').innerText().catch(() => '');
    assert.ok(!shown.includes(secret) && !shown.includes('echo-visits'), `Back shows a service again: ${page.url()}`);
  }
  // Storage can be looked at on a page of the same host alone: the way to sign in is one.
  await page.goto(demonstration.url(ECHO, '/.octroi/logout'));
  const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length]);
  assert.deepEqual(kept, [0, 0], 'nothing is left in storage');
}

export async function a_wrong_password_is_explained_and_the_login_kept(browser, demonstration) {
  const page = await browser.person();
  await page.goto(`${demonstration.portal}/.octroi/login`);
  await browser.look(page, 'sign-in');
  await page.fill('#login', 'acme/marie');
  await page.fill('#password', 'not the password');
  await page.click('button.primary');
  await page.waitForSelector('#problems');
  assert.equal(await page.inputValue('#login'), 'acme/marie');
  assert.equal(await page.inputValue('#password'), '');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'problems');
  await browser.look(page, 'sign-in-refused');
}

export async function a_provisional_password_is_changed_first(browser, demonstration) {
  const page = await browser.person();
  await page.goto(demonstration.url(ECHO));
  await page.fill('#login', 'acme/jean');
  await page.fill('#password', demonstration.password('acme/jean'));
  await page.click('button.primary');
  await page.waitForSelector('#new');
  await browser.look(page, 'password-forced');
  await page.fill('#new', GOOD);
  await page.click('button.primary');
  await page.waitForURL((url) => url.hostname === ECHO);
  assert.equal(await page.locator('#password').count(), 0);
}

export async function without_script_everything_works(browser, demonstration) {
  const page = await browser.person({ javaScriptEnabled: false });
  await page.goto(demonstration.url(PAYROLL));
  await page.fill('#login', 'acme/marie');
  await page.fill('#password', demonstration.password('acme/marie'));
  assert.equal(await page.locator('button.show:visible').count(), 0, 'no control that does nothing');
  await page.click('button.primary');
  await page.waitForURL((url) => url.hostname === PAYROLL);
  await page.goto(`${demonstration.portal}/.octroi/logout`);
  await page.locator('main form button.primary').click();
  await page.waitForURL(/round=/);
  await page.goto(demonstration.url(PAYROLL));
  await page.waitForSelector('#password');
}

// `autofocus` alone moves the focus: a box of errors, the notice after a change, the last heading of signing out.
export async function without_script_the_focus_is_where_something_is_said(browser, demonstration) {
  const page = await browser.person({ javaScriptEnabled: false });
  const focused = await lookAtFocus(page);
  const send = () => Promise.all([page.waitForNavigation(), page.locator('main form button.primary').click()]);
  await page.goto(`${demonstration.portal}/.octroi/login`);
  assert.equal((await focused()).id, 'login', 'nothing is said: the first field');
  await send();
  assert.deepEqual(await focused(), { id: 'problems', name: 'div', classes: 'notice danger' }, 'an empty form');
  await page.fill('#login', 'acme/paul');
  await page.fill('#password', 'not the password');
  await send();
  assert.equal((await focused()).id, 'problems', 'a wrong password');
  assert.match(await page.title(), /^Error/);
  await page.fill('#password', demonstration.password('acme/paul'));
  await send();
  if (/\/login$/.test(page.url())) await page.locator('main a.primary').click();
  await page.goto(`${demonstration.portal}/.octroi/account/password`);
  await page.fill('#current', demonstration.password('acme/paul'));
  await page.fill('#new', 'aaaaaaaaaaaaaaaaaaaa');
  await page.fill('#repeat', 'aaaaaaaaaaaaaaaaaaaa');
  await send();
  assert.equal((await focused()).id, 'problems', 'a password that breaks a rule');
  // A session of the same account to be ended: what was done is said, and has the focus.
  await signIn(browser, demonstration, 'acme/paul', { private: false });
  await page.goto(`${demonstration.portal}/.octroi/account/sessions`);
  await Promise.all([page.waitForNavigation(), page.locator('form[action$="/sessions/end-others"] button').click()]);
  assert.match((await focused()).classes, /notice/, 'what was done');
  await page.goto(`${demonstration.portal}/.octroi/logout`);
  await send();
  await page.waitForSelector('main a.primary');
  assert.equal((await focused()).name, 'h1', 'signed out');
}

export async function secrets_can_be_pasted(browser, demonstration) {
  const page = await browser.person();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const paste = async (field, text) => {
    await page.evaluate((secret) => navigator.clipboard.writeText(secret), text);
    await page.focus(field);
    await page.keyboard.press('Control+V');
    assert.equal(await page.inputValue(field), text, `${field} takes what is pasted`);
  };
  const { link } = await demonstration.octroi('user', 'invite', 'acme/odile', '--name', 'Odile Simon', '--role', 'rh');
  await page.goto(link);
  await paste('#new', GOOD);
  await page.click('main button.primary');
  await arriveOnAccount(page);
  await page.goto(`${demonstration.portal}/.octroi/account/password`);
  await paste('#current', GOOD);
  await paste('#new', 'une girafe lit le journal du soir');
  await page.click('main button.primary');
  await page.waitForSelector('.notice.ok');
  await page.context().clearCookies();
  await page.goto(`${demonstration.portal}/.octroi/login`);
  await page.fill('#login', 'acme/odile');
  await paste('#password', 'une girafe lit le journal du soir');
  await page.click('button.primary');
  await arriveOnAccount(page);
}

// The banner comes 5 minutes before the end on a person's own computer and 2 minutes before on a shared one, once.
export async function the_end_of_a_session_is_announced_in_time(browser, demonstration) {
  for (const [isPrivate, minutes] of [[true, 5], [false, 2]]) {
    const page = await signIn(browser, demonstration, 'globex/marie', { private: isPrivate });
    const { ends } = await page.locator('[data-ends]').evaluate((line) => line.dataset);
    const late = await page.context().newPage();
    await late.clock.install({ time: Date.parse(ends) - (minutes * 60 + 30) * 1000 });
    await late.goto(`${demonstration.portal}/.octroi/account`);
    // Asking moves an idle end: what the page says now is what counts.
    const said = await late.locator('[data-ends]').evaluate((line) => Date.parse(line.dataset.ends) - Date.now());
    const banner = late.locator('#ending');
    assert.equal(await banner.isVisible(), false, `${minutes} minutes and a half before, nothing is said`);
    await late.clock.runFor(said - minutes * 60_000 - 2_000);
    assert.equal(await banner.isVisible(), false, `${minutes} minutes and 2 seconds before, nothing is said`);
    await late.clock.runFor(4_000);
    assert.equal(await banner.isVisible(), true, `${minutes} minutes before, it is said`);
    assert.equal(await banner.getAttribute('role'), 'alert');
  }
}

export async function a_keyboard_is_enough(browser, demonstration) {
  const page = await browser.person();
  await page.goto(`${demonstration.portal}/.octroi/login`);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'login', 'the first field has the focus');
  await page.keyboard.type('acme/marie');
  await page.keyboard.press('Tab');
  await page.keyboard.type(demonstration.password('acme/marie'));
  await page.keyboard.press('Enter');
  await arriveOnAccount(page);
  const ring = await page.evaluate(() => {
    document.querySelector('main a').focus({ focusVisible: true });
    return getComputedStyle(document.activeElement).outlineStyle;
  });
  assert.equal(ring, 'solid', 'the focus is seen');
}

export async function a_phone_at_320_pixels_loses_nothing(browser, demonstration) {
  const page = await browser.person({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: false, locale: 'fr-FR' });
  await page.goto(demonstration.url(PAYROLL));
  await browser.look(page, 'sign-in-320-fr');
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('main button, main input:not([type=hidden]):not([type=radio])')]
      .filter((element) => element.offsetParent !== null && element.getBoundingClientRect().height < 44)
      .map((element) => element.outerHTML));
  assert.deepEqual(small, [], 'controls are 44 px high');
  await page.fill('#login', 'acme/marie');
  await page.fill('#password', demonstration.password('acme/marie'));
  await page.click('button.primary');
  await page.waitForURL((url) => url.hostname === PAYROLL);
}

export async function the_language_is_chosen_and_remembered(browser, demonstration) {
  const page = await browser.person({ locale: 'fr-FR' });
  await page.goto(`${demonstration.portal}/.octroi/login`);
  assert.equal(await page.getAttribute('html', 'lang'), 'fr');
  await page.click('form.language button[lang=en]');
  await page.waitForLoadState('load');
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  await page.goto(`${demonstration.portal}/.octroi/login`);
  assert.equal(await page.getAttribute('html', 'lang'), 'en', 'and stays');
}

export async function the_first_page_is_light(browser, demonstration) {
  const page = await browser.person();
  let bytes = 0;
  // The icon is both picture and favicon: one file.
  const urls = new Set();
  page.on('response', async (response) => {
    urls.add(response.url());
    bytes += (await response.body().catch(() => '')).length;
  });
  await page.goto(`${demonstration.portal}/.octroi/login`, { waitUntil: 'networkidle' });
  assert.ok(urls.size <= 4, `${urls.size} files:\n${[...urls].join('\n')}`);
  assert.ok(bytes <= 60 * 1024, `${bytes} bytes`);
}

// Hosts of one site whose certificate is one have one connection over HTTP/2, by the browser's choice. A request for another
// host than the connection was made for is refused with 421; the browser asks again on a connection of its own, and nobody
// notices. A form that is sent is sent once.
export async function a_421_sends_the_browser_to_a_connection_of_its_own(browser, demonstration) {
  const { directory } = demonstration;
  const hosts = ['one', 'two', 'three'].map((label) => `${label}.pair.localhost`);
  const [chain, key] = ['tls/pair.pem', 'tls/key.pem'].map((name) => join(directory, name));
  // The browser trusts this key, whatever certificate has it.
  execFileSync('openssl', ['req', '-x509', '-new', '-key', key, '-subj', '/CN=pair', '-days', '2', '-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`, '-out', chain], { stdio: 'pipe' });
  const service = demonstration.facts.services.find(({ host }) => host.startsWith(ECHO));
  const routes = hosts.map((host) => `\n[[route]]\nhost = "${host}"\nto = "${service.address}"\nsign_in = "public"\n`);
  const undo = await demonstration.configure(`\n[[certificate]]\nnames = ${JSON.stringify(hosts)}\nchain = "${chain}"\nkey_file = "${key}"\n${routes.join('')}`);
  const [one, two, three] = hosts;
  const misdirected = ({ status, refused, protocol }) => status === 421 && refused === 'request_misdirected' && protocol === 'h2';
  try {
    const page = await browser.person();
    assert.equal((await page.goto(demonstration.url(one))).status(), 200);
    assert.deepEqual(await demonstration.accessLines(0, misdirected), [], 'the first host has a connection of its own');
    assert.equal((await page.goto(demonstration.url(two))).status(), 200, 'the person sees the page and no refusal');
    assert.equal((await demonstration.accessLines(1, misdirected)).length, 1, 'one request went over the connection of the other host');
    await page.goto(demonstration.url(one));
    const answered = page.waitForResponse((response) => new URL(response.url()).hostname === three);
    await page.evaluate((action) => {
      const form = document.body.appendChild(document.createElement('form'));
      Object.assign(form, { method: 'post', action });
      form.submit();
    }, demonstration.url(three, '/posted'));
    assert.equal((await answered).status(), 404, 'the service answers');
    const refused = await demonstration.accessLines(2, misdirected);
    assert.deepEqual(refused.map(({ method }) => method), ['GET', 'POST']);
    const posted = await demonstration.accessLines(1, ({ host, path }) => host === three && path === '/posted');
    assert.deepEqual(posted.map(({ method, status }) => [method, status]), [['POST', 404]], 'once');
  } finally {
    await undo();
  }
}

// From the file that the operator names to the picture that is shown: another one where pages are dark.
export async function a_dark_page_has_the_logo_for_dark_pages(browser, demonstration) {
  const drawing = (colour) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" width="40" height="20"><rect width="40" height="20" fill="${colour}"/></svg>`;
  const files = Object.entries({ light: '#103050', dark: '#f0d0b0' }).map(([scheme, colour]) => {
    const file = join(demonstration.directory, `logo-of-${scheme}.svg`);
    writeFileSync(file, drawing(colour));
    return [scheme, file];
  });
  const [light, dark] = files.map(([, file]) => file);
  const undo = await demonstration.reconfigure((text) => text.replace('[brand]\n', `[brand]\nlogo = "${light}"\nlogo_dark = "${dark}"\n`));
  try {
    for (const [colorScheme, file] of files) {
      const page = await browser.person({ colorScheme });
      await page.goto(`${demonstration.portal}/.octroi/login`, { waitUntil: 'load' });
      const shown = await page.locator('.brand img').evaluate((image) => ({ address: image.currentSrc, width: image.naturalWidth }));
      assert.equal(shown.width, 40, `${colorScheme}: the picture is shown`);
      const bytes = await page.evaluate(async (address) => (await fetch(address)).text(), shown.address);
      assert.equal(bytes, readFileSync(file, 'utf8'), `${colorScheme}: it is the operator's file for such pages`);
      await browser.look(page, `logo-${colorScheme}`);
    }
  } finally {
    await undo();
  }
}

// Signs in on the pages; gives the page, wherever it ended.
async function signIn(browser, demonstration, login, options) {
  const page = await browser.person(options.context);
  await page.goto(`${demonstration.portal}/.octroi/login`);
  await page.fill('#login', login);
  await page.fill('#password', demonstration.password(login));
  await page.check(options.private ? '#computer-private' : '#computer-public');
  await page.click('button.primary');
  await arriveOnAccount(page);
  return page;
}

// Which element has the focus, asked by the debugger: on a page without script nothing else can be asked.
async function lookAtFocus(page) {
  const debugger_ = await page.context().newCDPSession(page);
  return async () => {
    const { result } = await debugger_.send('Runtime.evaluate', {
      expression: '(({ id, localName, className }) => ({ id, name: localName, classes: className }))(document.activeElement)',
      returnByValue: true,
    });
    return result.value;
  };
}

// Host and name of each cookie that the browser holds, in order.
async function cookieNames(context) {
  return (await context.cookies()).map(({ domain, name }) => `${domain} ${name}`).sort();
}

// Where there is something to read (attempts that were refused), the page waits for a click.
async function arriveOnAccount(page) {
  const account = page.waitForURL(/account/);
  const link = page.locator('main > p > a.primary');
  await Promise.race([account, link.waitFor().then(() => link.click()).catch(() => null)]);
  await account;
}
