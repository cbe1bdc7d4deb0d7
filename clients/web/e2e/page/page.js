/** A client as the test wants it (the options are in the URL), and what it says. */
import { createAuth } from '/client/index.js';

const options = /** @type {Partial<import('/client/index.js').AuthOptions>} */ (
    JSON.parse(decodeURIComponent(location.hash.slice(1)) || '{}')
);
const auth = createAuth({ baseUrl: location.origin, storage: 'localStorage', ...options });
/** @type {{ reason: string | null, elsewhere: boolean, code: string | undefined }[]} */
const changes = [];
auth.onChange(({ reason, elsewhere, error }) => changes.push({ reason, elsewhere, code: error?.code }));
Object.assign(window, { auth, changes });
