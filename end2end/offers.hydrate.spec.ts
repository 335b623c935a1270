// Model servers of this machine are offered where no model is configured, and never used unasked.
import { expect, test } from './support/test';

test.use({ settings: '\n[models.built_in]\nprovider = "built_in"\nmodel = "built_in"\nroles = ["executor"]\ntier = 0\n' });

test('a server that was found is shown with its lines, and the built-in model goes on answering', async ({ page, desk }) => {
  const lines = '[models.ollama]\nprovider = "ollama"\nmodel = "llama3.2:latest"\n';
  const offer = { name: 'Ollama', provider: 'ollama', base_url: 'http://127.0.0.1:11434', models: [{ model: 'llama3.2:latest', toml: lines }] };
  await page.route('**/models/offers', (route) => route.fulfill({ json: [offer] }));
  await desk.open('/');
  const shown = page.locator('details.offer');
  await expect(shown.locator('summary')).toContainText('Ollama runs on the computer of the server and is not used.');
  await shown.locator('summary').click();
  await expect(shown.locator('pre')).toHaveText(lines);
  await expect(page.getByText('the built-in one answers simple questions about files')).toBeVisible();
});
