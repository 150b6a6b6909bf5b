// Headless browsers, started so that WebRTC and autoplay work. Both kinds give pages with `goto`, `evaluate` and `close`.

const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--autoplay-policy=no-user-gesture-required',
  '--mute-audio',
  '--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,DialMediaRouteProvider',
  // The browser's own services are not asked: no name but this machine's is looked up.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

const FIREFOX_PREFERENCES = {
  'app.update.enabled': false,
  'app.update.auto': false,
  'app.normandy.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.tabs.unloadOnLowMemory': false,
  'captivedetect.canonicalURL': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
};

/**
 * `name` is `chromium` or `firefox`; the result opens pages that share nothing with each other. `prepare(page)` is called
 * before anything is loaded. `certificate` ({spki}) is one that the browser takes although nobody vouches for it;
 * `preferences` are more of Firefox's.
 */
export async function launchBrowser(name, { certificate, preferences } = {}) {
  const open = BROWSERS[name];
  if (open === undefined) {
    throw new Error(`${name} is none of ${Object.keys(BROWSERS).join(', ')}`);
  }
  return open(certificate, preferences);
}

const BROWSERS = {
  async chromium(certificate) {
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: [
        ...CHROMIUM_ARGS,
        ...(certificate === undefined ? [] : [`--ignore-certificate-errors-spki-list=${certificate.spki}`]),
      ],
    });
    return {
      name: 'chromium',
      version: `Chromium ${browser.version()}`,
      inspect: () => browser.newBrowserCDPSession(),
      async open(url, { prepare } = {}) {
        const context = await browser.newContext();
        const page = await context.newPage();
        await prepare?.(page);
        await page.goto(url, { waitUntil: 'load' });
        return { page, evaluate: (task, given) => page.evaluate(task, given), close: () => context.close() };
      },
      close: () => browser.close(),
    };
  },

  async firefox(certificate, preferences) {
    const { default: puppeteer } = await import('puppeteer-core');
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
      headless: true,
      extraPrefsFirefox: { ...FIREFOX_PREFERENCES, ...preferences },
      acceptInsecureCerts: certificate !== undefined,
    });
    return {
      name: 'firefox',
      version: (await browser.version()).replace('firefox/', 'Firefox '),
      async open(url, { prepare } = {}) {
        const context = await browser.createBrowserContext();
        const page = await context.newPage();
        await prepare?.(page);
        await page.goto(url, { waitUntil: 'load' });
        return { page, evaluate: (task, given) => page.evaluate(task, given), close: () => context.close() };
      },
      close: () => browser.close(),
    };
  },
};
