import {
  chromium,
  type Browser,
  type BrowserContext,
  type Locator,
  type Page,
} from 'playwright-core';
import { onTestFinished } from 'vitest';
import { until, type Tower } from './tower.ts';

/** Path of the Chromium to test with; undefined: browser tests are skipped. */
export const chromiumPath = process.env['BATON_TEST_CHROMIUM'];

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page that is logged in, and everything that went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors on the console, broken policy included. */
  readonly faults: string[];
}

/** Where something stands once it no longer moves: twice at the same place, some frames apart. */
export async function restingPlace(
  it: Locator,
): Promise<{ readonly x: number; readonly y: number }> {
  let before = '';
  let place = { x: 0, y: 0 };
  await until('it stands still', async () => {
    const box = await it.boundingBox();
    if (box !== null) place = { x: box.x, y: box.y };
    const now = JSON.stringify(box);
    const rests = box !== null && now === before;
    before = now;
    await it.page().waitForTimeout(300);
    return rests;
  });
  return place;
}

/** Starts a browser of its own; it is closed with the test. */
async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? '',
    args: ARGS,
    timeout: 120_000,
  });
  onTestFinished(() => browser.close());
  return browser;
}

/** Opens the dashboard with the tower's one-time link and waits until it is live. */
export async function openDashboard(
  tower: Tower,
  viewport = { width: 1_280, height: 800 },
): Promise<OpenPage> {
  const browser = await startBrowser();
  const context = await browser.newContext({ viewport });
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  const { login_url: link } = await tower.client.keys.loginLink();
  await page.goto(link);
  await page.waitForURL('**/runs');
  await page.getByText('live', { exact: true }).waitFor();
  return { page, context, faults };
}
