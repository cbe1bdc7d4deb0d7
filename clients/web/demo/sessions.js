/** The list of the user's sessions. */
import { byId, log } from './page.js';

/**
 * @param {import('/client/index.js').Auth} auth
 */
export async function showSessions(auth) {
    const sessions = await auth.sessions();
    byId('sessions').replaceChildren(...sessions.map((session) => describe(auth, session)));
}

/**
 * @param {import('/client/index.js').Auth} auth
 * @param {import('/client/index.js').SessionInfo} session
 */
function describe(auth, session) {
    const [line, text] = [document.createElement('li'), document.createElement('div')];
    const [more, button] = [document.createElement('small'), document.createElement('button')];
    const since = new Date(session.createdAt).toLocaleTimeString('en-GB');
    text.textContent = session.current ? 'This one' : browserOf(session.userAgent);
    const replay = session.lastReplay;
    const repeated = replay ? `, its token repeated by ${replay.ip}, ${browserOf(replay.userAgent)}` : '';
    more.textContent = `${session.ip}, ${browserOf(session.userAgent)}, since ${since}${repeated}`;
    text.append(more);
    button.textContent = 'End';
    button.setAttribute('aria-label', `End the session of ${since}`);
    button.addEventListener('click', () => {
        auth.endSession(session.sessionId)
            .then(() => {
                log('log', 'You ended a session.');
                return auth.state.session === null ? undefined : showSessions(auth);
            })
            .catch(() => {
                log('log', 'The session could not be ended.', { bad: true });
            });
    });
    line.append(text, button);
    return line;
}

/**
 * The name of a browser, as far as its user agent tells.
 *
 * @param {string} userAgent
 */
function browserOf(userAgent) {
    const names = [/Edg\//, /Firefox\//, /Chrom(e|ium)\//, /Safari\//];
    const found = names.findIndex((name) => name.test(userAgent));
    return ['Edge', 'Firefox', 'Chrome', 'Safari'][found] ?? (userAgent.slice(0, 20) || 'an unknown browser');
}
