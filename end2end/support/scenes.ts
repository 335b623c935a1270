// Every view and state that the page has, each by the way that leads there: pictures are taken of them, and axe looks at them.
import { expect } from '@playwright/test';
import { ASKING } from './scenes/asking';
import { type Look, type Scene, type Scenes, type Stage } from './scenes/common';
import { PANELS } from './scenes/panels';
import { START } from './scenes/start';
import { TURNS } from './scenes/turns';

export { LOOKS, type Look } from './scenes/common';

const SCENES: Scenes = { ...START, ...TURNS, ...ASKING, ...PANELS };

/** What the scenes ask of the configuration. */
export const SETTINGS = '\n[cowork]\nallow_full_mode = true\n';

/** Every scene in every look that shows something of its own. */
export const VIEWS = Object.entries(SCENES).flatMap(([name, scene]) => scene.looks.map((look) => ({ name, look, show: scene.show })));

/** Shows a scene in a look; what a person chooses for themselves is chosen first. */
export async function stage(look: Look, show: Scene['show'], given: Stage): Promise<void> {
  if (look === 'contrast') {
    await given.page.context().addCookies([{ name: 'cowork_look', value: 'contrast', url: given.server.origin }]);
  }
  await show(given);
  if (look === 'german') {
    await given.page.context().addCookies([{ name: 'cowork_lang', value: 'de', url: given.server.origin }]);
    await given.desk.reload();
    await expect(given.page.locator('html')).toHaveAttribute('lang', 'de');
  }
}
