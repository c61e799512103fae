// Every page in both languages, both colour schemes and three widths: to be looked at by a person, and by axe.
const PAGES = [
  ['sign-in', '/.octroi/login'],
  ['account', '/.octroi/account'],
  ['sessions', '/.octroi/account/sessions'],
  ['change-password', '/.octroi/account/password'],
  ['sign-out', '/.octroi/logout'],
  ['not-found', '/.octroi/nothing'],
  ['invitation-dead', '/.octroi/invitation?token=none'],
];
const SERVICES = [
  ['payroll', 'paie.localhost'],
  ['visitors', 'visites.localhost'],
  ['echo', 'echo.localhost'],
];
const WIDTHS = [320, 768, 1280];

export async function everyPage(browser, demonstration) {
  for (const locale of ['fr-FR', 'en-GB']) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.person({ locale, colorScheme });
      for (const [name, path] of PAGES) {
        await photograph(browser, page, `${name}-${locale.slice(0, 2)}-${colorScheme}`, `${demonstration.portal}${path}`);
        if (name === 'sign-in') await signIn(page, demonstration);
      }
      for (const [name, host] of SERVICES) {
        await photograph(browser, page, `${name}-${locale.slice(0, 2)}-${colorScheme}`, demonstration.url(host));
      }
    }
  }
}

async function photograph(browser, page, name, url) {
  await page.goto(url);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    await browser.look(page, `all-${name}-${width}`);
  }
}

async function signIn(page, demonstration) {
  await page.fill('#login', 'acme/marie');
  await page.fill('#password', demonstration.password('acme/marie'));
  await page.check('#computer-private');
  await page.click('button.primary');
  await page.waitForURL(/account/);
}
