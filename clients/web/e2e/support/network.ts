import type { Page } from '@playwright/test';

/** What becomes of an answer on its way from the service: it arrives, it never does, or the connection breaks. */
type Fate = 'arrives' | 'never' | 'broken';

/**
 * Decides what becomes of the answers to the page's refreshes, or to requests for another path, by their number from 0 on.
 * The service has answered each by then: it is the answer that is lost, not the request.
 */
export async function onAnswers(
    page: Page,
    fate: (number: number) => Fate | Promise<Fate>,
    path = '/auth/refresh',
): Promise<void> {
    const devtools = await page.context().newCDPSession(page);
    let answers = 0;
    const decide = async (requestId: string) => {
        const decision = await fate(answers++);
        if (decision === 'arrives') await devtools.send('Fetch.continueRequest', { requestId });
        if (decision === 'broken')
            await devtools.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' });
    };
    devtools.on('Fetch.requestPaused', ({ requestId }) => {
        // A page that has gone wants no answer.
        decide(requestId).catch(() => null);
    });
    await devtools.send('Fetch.enable', {
        patterns: [{ urlPattern: `*${path}`, requestStage: 'Response' }],
    });
}
