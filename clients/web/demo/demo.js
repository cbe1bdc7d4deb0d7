/** The demo: the client does the work, this page shows it. */
import { AuthError, createAuth } from '/client/index.js';

import { byId, log, onPress, say } from './page.js';
import { showSessions } from './sessions.js';
import { steal } from './theft.js';

const baseUrl = location.origin;
const auth = createAuth({ baseUrl, storage: 'localStorage' });
const requests = { sent: 0, failed: 0 };

/** What an event is called, by its reason. */
const WORDS = {
    restored: 'Your session was still here.',
    'signed-in': 'You signed in.',
    renewed: 'The access token was renewed.',
    'user-changed': 'Your names changed.',
    'signed-out': 'You signed out.',
    'session-ended': 'The service ended the session.',
};

/** @param {import('/client/index.js').AuthState} state */
function show({ status, session, reason, elsewhere, error }) {
    byId('signed-out').hidden = status !== 'signed-out';
    byId('signed-in').hidden = status !== 'signed-in';
    if (reason !== null && (session !== null || reason !== 'restored')) {
        log('log', WORDS[reason] + (elsewhere ? ' (in another tab)' : ''), {
            bad: error !== null,
        });
    }
    if (session === null) {
        const ended = error === null ? null : `You were signed out: ${error.message}`;
        say('notice', reason === 'signed-out' && elsewhere ? 'You signed out in another tab.' : ended);
        return;
    }
    say('notice', null);
    byId('who').textContent = session.user.displayName ?? session.user.email;
    byId('generation').textContent = String(generationOf(session.refreshToken));
    void refreshList();
}

/**
 * The generation that a refresh token says it is of.
 *
 * @param {string | null} token
 */
function generationOf(token) {
    const payload = token?.split('.')[1] ?? '';
    if (payload === '') return 0;
    const claims = /** @type {{ gen?: number }} */ (
        JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    );
    return claims.gen ?? 0;
}

/** Four times a second: what is left of the access token. */
function countDown() {
    const { session } = auth.state;
    if (session === null) return;
    const rest = Math.max(0, session.expiresAt - Date.now());
    const share = Math.min(1, rest / (session.expiresAt - session.storedAt));
    byId('seconds').textContent = (rest / 1000).toFixed(rest < 10_000 ? 1 : 0);
    byId('rest').style.transform = `scaleX(${String(share)})`;
    byId('life').setAttribute('aria-valuenow', String(Math.round(share * 100)));
}

/** One request a second, as an application would send them: none of them fails because a token ends. */
async function work() {
    if (auth.state.session === null) return;
    requests.sent += 1;
    const ok = await auth.fetch(`${baseUrl}/auth/me`).then(
        (response) => response.ok,
        () => false,
    );
    // A session that has ended is no failure of a request.
    if (!ok && isSignedIn()) requests.failed += 1;
    byId('requests').textContent = String(requests.sent);
    byId('failures').textContent = String(requests.failed);
}

function isSignedIn() {
    return auth.state.session !== null;
}

async function refreshList() {
    await showSessions(auth).catch(() => null);
}

/** @param {SubmitEvent} event */
async function enter(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (byId('entry'));
    const [email, password] = [field(form, 'email'), field(form, 'password')];
    const signsUp = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value === 'signup';
    try {
        await (signsUp ? auth.signup({ email, password }) : auth.login({ email, password }));
        say('entry-error', null);
        form.reset();
    } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        const wait = error.retryAfter === null ? '' : ` Try again in ${String(error.retryAfter)} s.`;
        say('entry-error', error.message + wait);
    }
}

/** Asks for the password: none is kept. */
function askForDevice() {
    /** @type {HTMLDialogElement} */ (byId('other')).showModal();
    return Promise.resolve();
}

/** A further session of the same user, as another device would have one: its client keeps it in memory. */
async function otherDevice() {
    const dialog = /** @type {HTMLDialogElement} */ (byId('other'));
    const form = /** @type {HTMLFormElement} */ (byId('other-form'));
    const [email, password] = [auth.state.session?.user.email ?? '', field(form, 'password')];
    form.reset();
    if (dialog.returnValue !== 'login' || password === '') return;
    try {
        await createAuth({ baseUrl, storageKey: 'other-device' }).login({ email, password });
        log('log', 'You signed in on another device.');
    } catch (error) {
        log('log', error instanceof Error ? error.message : 'It did not work.', { bad: true });
    }
    await refreshList();
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function field(form, name) {
    const value = new FormData(form).get(name);
    return typeof value === 'string' ? value : '';
}

byId('entry').addEventListener('submit', (event) => void enter(event));
onPress('renew', () => auth.renew());
onPress('logout', () => auth.logout());
onPress('everywhere', () => auth.revokeAll());
onPress('device', askForDevice);
byId('other').addEventListener('close', () => void otherDevice());
onPress('tab', async () => {
    window.open(location.href, '_blank', 'noopener');
});
onPress('steal', async () => {
    say('notice', await steal(auth, baseUrl));
    byId('theft').replaceChildren();
});
auth.onChange(show);
setInterval(countDown, 250);
setInterval(() => {
    if (auth.state.session !== null) void refreshList();
}, 5000);
auth.session().catch((/** @type {unknown} */ error) => {
    say('notice', error instanceof Error ? error.message : 'The service does not answer.');
});
setInterval(() => void work(), 1000);
