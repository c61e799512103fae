// The states of the pages. Each exported function is a walk of one kind of person, and hangs up what it sees.
import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const ABSENT = 'absent.localhost';
export const SILENT = 'silent.localhost';
const ECHO = 'echo.localhost';
const PAYROLL = 'paie.localhost';
const BUILDING = 'visites.localhost';
const GOOD = 'quatre chevaux sous la pluie';
const BETTER = 'une girafe lit le journal du soir';
const OTHER_BROWSERS = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
];

export async function whoeverComesWithoutASession(wall) {
  const { portal, url } = wall.demonstration;
  const page = await wall.person();
  await page.goto(`${portal}/.octroi/login`);
  await wall.hang(page, 'sign-in');
  await page.goto(url(PAYROLL));
  await wall.hang(page, 'sign-in-on-the-way');
  await page.click('main button.primary');
  await wall.hang(page, 'sign-in-empty', 422);
  await signIn(page, 'acme/marie', 'not the password');
  await wall.hang(page, 'sign-in-refused', 401);
  const nobody = `acme/nobody-${wall.name}`;
  for (let attempt = 0; attempt < 6; attempt += 1) await signIn(page, nobody, 'not a password');
  await wall.hang(page, 'sign-in-limited', 429);
}

export async function whoeverFindsADoorClosed(wall) {
  const { portal, url } = wall.demonstration;
  const page = await wall.person();
  await page.goto(`${portal}/.octroi/login`);
  await page.context().clearCookies();
  await signIn(page, 'acme/marie', 'whatever it may be');
  await wall.hang(page, 'sign-in-without-cookies', 403);
  await page.goto(`${portal}/.octroi/login`);
  await page.context().clearCookies();
  await (await page.context().newPage()).goto(`${portal}/.octroi/login`);
  await signIn(page, 'acme/marie', 'whatever it may be');
  await wall.hang(page, 'sign-in-stale', 403);

  await page.goto(`${portal}/.octroi/invitation?token=none`);
  await wall.hang(page, 'invitation-dead', 410);
  await page.goto(url(ECHO, '/.octroi/enter?id=none&ticket=none'));
  await wall.hang(page, 'enter-dead', 410);
  await page.goto(`${portal}/.octroi/logout`);
  await wall.hang(page, 'signed-out-nobody');
  await page.goto(`${portal}/.octroi/nothing`);
  await wall.hang(page, 'not-found', 404);
  await page.goto(`${portal}/.octroi/%2Flogin`);
  await wall.hang(page, 'bad-address', 400);

  // No certificate names these hosts: whoever comes here has passed the browser's warning.
  const stubborn = await wall.person({ ignoreHTTPSErrors: true });
  await stubborn.goto(url('nowhere.localhost'));
  await wall.hang(stubborn, 'not-found-host', 404);
  await stubborn.goto(url(ABSENT));
  await wall.hang(stubborn, 'service-down', 502);
  await stubborn.goto(url(SILENT));
  await wall.hang(stubborn, 'service-slow', 504);
  const sent = stubborn.waitForResponse((response) => response.request().method() === 'POST');
  await stubborn.evaluate(() => {
    const form = document.body.appendChild(document.createElement('form'));
    form.method = 'post';
    form.submit();
  });
  await sent;
  await stubborn.waitForLoadState('load');
  await wall.hang(stubborn, 'service-slow-write', 504);
}

export async function whoeverIsInvited(wall) {
  const { demonstration } = wall;
  const login = `acme/nadia-${wall.name}`;
  const { link } = await demonstration.octroi('user', 'invite', login, '--name', 'Nadia Roux', '--role', 'rh');
  const page = await wall.person();
  await page.goto(link);
  await wall.hang(page, 'first-password');
  await page.fill('#new', 'nadia roux');
  await page.click('main button.primary');
  await page.waitForSelector('#problems');
  await wall.hang(page, 'first-password-refused', 422);
  await page.fill('#new', GOOD);
  await page.check('#computer-private');
  await wall.stayOn(page, '**/.octroi/account', () => page.click('main button.primary'));
  await wall.hang(page, 'continue');

  await page.goto(`${demonstration.portal}/.octroi/account`);
  await wall.hang(page, 'account');
  await page.goto(demonstration.url(PAYROLL));
  await wall.hang(page, 'payroll');
  await page.goto(demonstration.url(BUILDING));
  await wall.hang(page, 'refused', 403);

  await page.goto(`${demonstration.portal}/.octroi/account/password`);
  await wall.hang(page, 'change-password');
  await page.fill('#current', 'not the current one');
  await page.fill('#new', BETTER);
  await page.click('main button.primary');
  await wall.hang(page, 'change-password-wrong', 422);
  await page.fill('#current', GOOD);
  await page.fill('#new', 'aaaaaaaaaaaaaaaaaaaa');
  await page.click('main button.primary');
  await wall.hang(page, 'change-password-refused', 422);
  await page.fill('#current', GOOD);
  await page.fill('#new', BETTER);
  await page.click('main button.primary');
  await wall.hang(page, 'account-password-changed');
  await ownSessions(wall, page, login);
}

async function ownSessions(wall, page, login) {
  const { demonstration } = wall;
  const list = `${demonstration.portal}/.octroi/account/sessions`;
  await page.goto(list);
  await wall.hang(page, 'sessions-only-this');
  for (const userAgent of OTHER_BROWSERS) {
    const other = await wall.person({ userAgent });
    await other.goto(`${demonstration.portal}/.octroi/login`);
    await signIn(other, login, BETTER, 'public');
    await other.waitForURL(/account/);
  }
  await page.goto(list);
  await wall.hang(page, 'sessions');
  await page.locator('form[action$="/sessions/end"] button').first().click();
  await wall.hang(page, 'session-ended');
  await page.locator('form[action$="/sessions/end-others"] button').click();
  await wall.hang(page, 'sessions-ended');

  const { ends } = await page.locator('[data-ends]').evaluate((line) => line.dataset);
  const late = await page.context().newPage();
  await late.clock.install({ time: Date.parse(ends) - 100_000 });
  await late.goto(`${demonstration.portal}/.octroi/account`);
  await late.waitForSelector('#ending:not([hidden])');
  await wall.hang(late, 'session-ending', null);

  await page.goto(`${demonstration.portal}/.octroi/logout`);
  await wall.hang(page, 'sign-out');
  await page.click('main button.primary');
  await page.waitForSelector('main a.primary');
  await wall.hang(page, 'signed-out');
}

export async function whoeverSharesAComputer(wall) {
  const { demonstration } = wall;
  const page = await wall.person();
  await page.goto(demonstration.url(BUILDING));
  await signIn(page, 'acme/lea', demonstration.password('acme/lea'), 'public');
  await page.waitForURL(demonstration.url(BUILDING));
  await wall.hang(page, 'visitors');
  await page.goto(demonstration.url(ECHO));
  await wall.hang(page, 'echo');
  await page.goto(`${demonstration.portal}/.octroi/logout`);
  await wall.hang(page, 'sign-out-services');
  await wall.stayOn(page, /round=/, () => page.click('main button.primary'));
  await wall.hang(page, 'signed-out-clearing');
  await page.click('main a.primary');
  await page.waitForURL(/round=/);
  await page.waitForLoadState('networkidle');
  await wall.hang(page, 'signed-out-shared');
}

export async function whoeverHasAProvisionalPassword(wall) {
  const { demonstration } = wall;
  const { password } = await demonstration.octroi('user', 'add', `globex/tom-${wall.name}`, '--name', 'Tom Wouters', '--role', 'occupant');
  assert.ok(password.length >= 15, 'a provisional password is printed');
  const page = await wall.person();
  await page.goto(demonstration.url(ECHO));
  await signIn(page, `globex/tom-${wall.name}`, password);
  await page.waitForSelector('#new');
  await wall.hang(page, 'password-forced');
  await page.click('main button.primary');
  await wall.hang(page, 'password-forced-refused', 422);
  await page.fill('#new', GOOD);
  await wall.stayOn(page, /\/\.octroi\/enter/, () => page.click('main button.primary'));
  await wall.hang(page, 'continue-to-service');
}

export async function whoeverIsToldOfRefusedAttempts(wall) {
  const { demonstration } = wall;
  const page = await wall.person();
  await page.goto(`${demonstration.portal}/.octroi/login`);
  await signIn(page, 'globex/marie', 'not the password');
  await page.waitForSelector('#problems');
  await signIn(page, 'globex/marie', demonstration.password('globex/marie'));
  await page.waitForSelector('.notice.warn:not([hidden])');
  await wall.hang(page, 'continue-after-attempts');
}

export async function whoeverComesWhileTheDiskIsHeld(wall) {
  const { demonstration } = wall;
  const page = await wall.person();
  await page.goto(`${demonstration.portal}/.octroi/login`);
  const release = await holdDatabase(demonstration.directory);
  try {
    await signIn(page, 'acme/paul', demonstration.password('acme/paul'));
    await page.waitForSelector('#reference', { timeout: 60_000 });
    await wall.hang(page, 'closed', 503);
  } finally {
    release();
  }
}

export async function whoeverReadsALetter(wall) {
  const { demonstration } = wall;
  const sheet = join(demonstration.directory, `letter-${wall.name}.html`);
  await demonstration.octroi('user', 'invite', `acme/camille-${wall.name}`, '--name', 'Camille Laurent', '--language', wall.language, '--sheet', sheet);
  const page = await wall.person();
  await page.goto(pathToFileURL(sheet).href);
  await wall.hang(page, 'letter', null);
  await page.emulateMedia({ media: 'print' });
  await wall.hang(page, 'letter-printed', null);
}

// Fills in the form and sends it; the caller knows where it leads.
async function signIn(page, login, password, computer = 'private') {
  await page.fill('#login', login);
  await page.fill('#password', password);
  await page.check(`#computer-${computer}`);
  await Promise.all([page.waitForResponse((response) => response.request().method() === 'POST'), page.click('main button.primary')]);
  await page.waitForLoadState('load');
}

// Keeps the store from writing, as a full or failing disk would; gives the way to end that.
async function holdDatabase(directory) {
  const script = 'import sqlite3, sys\nstore = sqlite3.connect(sys.argv[1], isolation_level=None)\nstore.execute("BEGIN IMMEDIATE")\nprint("held", flush=True)\nsys.stdin.read()';
  const holder = spawn('python3', ['-c', script, join(directory, 'data/octroi.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    holder.stdout.once('data', resolve);
    holder.once('error', reject);
    holder.once('exit', () => reject(new Error('the database cannot be held')));
  });
  return () => holder.stdin.end();
}
