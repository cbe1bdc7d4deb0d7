import { AuthError } from './errors.js';
import { page } from './page.js';
import { isNewer, isSameSession, sessionIdOf, type Entry, type Session } from './session.js';
import { isSame, stateOf, UNKNOWN, type AuthState, type ChangeReason } from './state.js';
import { openTabs, tellable, told, type Message, type Tabs } from './tabs.js';
import { marksKey, SURELY, type Vault } from './vault.js';

/** A storage event waits so long, in milliseconds, for the other tab's own word, which says why. */
const WORD_FIRST = 50;

/** A change waits no longer for the one before, in milliseconds: a storage may never answer. */
const PATIENCE = 5_000;

/** The one session of a client: its vault, what is known of it, and who wants to hear of changes. */
export class SessionStore {
    /** Called when another tab has signed in with a cookie and tells this one no access token. */
    onLogin: () => void = ignore;
    #vault: Vault;
    #state: AuthState = UNKNOWN;
    readonly #key: string;
    readonly #cookies: (() => Vault) | null;
    #tabs: Tabs | null;
    readonly #listeners = new Set<(state: AuthState) => void>();
    /** Who waits for the other tabs' answer: one at a time, under the lock. */
    #answered: ((later: boolean) => void) | null = null;
    /** Why another tab says that the session is over, for when the storage says that it is. */
    #word: { reason: ChangeReason; error: AuthError | null; elsewhere: boolean } | null = null;
    /** The id of the session that was ended last: what a renewal brings late is not stored. */
    #ended: string | null = null;
    /** Changes of the storage are made one after the other: an asynchronous one may finish them in any order. */
    #changes: Promise<unknown> = Promise.resolve();

    /** `cookies`: the vault to change to when refresh tokens are found to come in cookies; `null` if they cannot. */
    constructor(vault: Vault, key: string, cookies: (() => Vault) | null = null) {
        this.#vault = vault;
        this.#key = key;
        this.#cookies = cookies;
        this.#tabs = openTabs(key, (message) => void this.#heard(message));
        page()?.addEventListener('storage', this.#onStorage);
    }

    get state(): AuthState {
        return this.#state;
    }

    get kind(): Vault['kind'] {
        return this.#vault.kind;
    }

    /** Refresh tokens come in cookies from now on. Says whether they can. */
    async moveToCookies(): Promise<boolean> {
        if (this.#cookies === null) return false;
        await this.forget();
        this.#vault = this.#cookies();
        return true;
    }

    /** The device token for a login with this address. A storage that fails keeps nobody from signing in. */
    device(email: string): Promise<string | null> {
        return this.#vault.device(email).catch(() => null);
    }

    /** Keeps a device token, which is stored with the next session. */
    keepDevice(email: string, token: string | undefined): void {
        if (token !== undefined) this.#vault.keepDevice(email, token);
    }

    listen(listener: (state: AuthState) => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    close(): void {
        this.#tabs?.close();
        this.#tabs = null;
        this.#listeners.clear();
        page()?.removeEventListener('storage', this.#onStorage);
    }

    /** What is stored at this moment. What another tab has changed is noticed. */
    async read(): Promise<Entry | null> {
        const found = await this.#vault.read().catch((error: unknown) => this.failed(error));
        const entry = this.#isEnded(found?.session) ? null : found;
        // A cookie that nobody has asked about says nothing yet.
        if (entry?.session !== null || this.#state.session !== null) {
            const session = entry?.session ?? null;
            const reason = this.#reasonFor(session);
            const elsewhere = this.#word?.elsewhere ?? reason !== 'restored';
            this.#show(session, reason, elsewhere, this.#word?.error ?? null);
        }
        return entry;
    }

    /** The state keeps the error, if nothing is known of the session for it. */
    failed(error: unknown): never {
        if (this.#state.status === 'unknown' && error instanceof AuthError) this.#become({ ...UNKNOWN, error });
        throw error;
    }

    /** Stores a session, and tells everybody. With `replaced` it takes the place of the session with this id. */
    async put(entry: Entry, reason: ChangeReason, replaced: string | null = null): Promise<void> {
        await this.#inTurn(async () => {
            await this.#write(entry);
            this.#show(entry.session, reason, false, null);
            const tokens = this.kind === 'copied' || this.kind === 'cookie';
            this.#tabs?.tell({ type: 'changed', reason, entry: tokens ? entry : null, replaced });
        });
    }

    /** Stores what is known of renewals. Nobody needs to hear of it. */
    async note(entry: Entry): Promise<void> {
        await this.#inTurn(() => this.#write(entry));
    }

    /** Forgets `session`, and tells everybody. With `everywhere` every session of its user has ended. */
    async end(
        session: Session | null,
        reason: 'signed-out' | 'session-ended',
        { error = null, everywhere = false }: { error?: AuthError | null; everywhere?: boolean } = {},
    ): Promise<void> {
        const sid = session && sessionIdOf(session);
        this.#ended = sid ?? this.#ended;
        if (this.#state.session !== null) this.#word = { reason, error, elsewhere: false };
        await this.#inTurn(async () => {
            try {
                await this.#vault.clear(reason === 'signed-out');
            } finally {
                this.#show(null, reason, false, error);
                if (session !== null) {
                    const { userId } = session.user;
                    this.#tabs?.tell({ type: 'ended', reason, error: tellable(error), sid, userId, everywhere });
                }
            }
        });
    }

    /** The service has ended it, too: a cookie that is there from now on is a new one. */
    async forget(): Promise<void> {
        await this.#inTurn(() => this.#vault.clear(false));
    }

    /** With cookie delivery: there is no session, and there was none. */
    none(): void {
        this.#show(null, 'restored', false, null);
    }

    async #write(entry: Entry): Promise<void> {
        if (this.#isEnded(entry.session)) throw new AuthError('signed_out', 'The session has been ended.');
        await this.#vault.write(entry);
    }

    #inTurn(change: () => Promise<unknown>): Promise<unknown> {
        const done = this.#changes.then(change);
        this.#changes = new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, PATIENCE);
            void done.catch(ignore).then(() => {
                clearTimeout(timer);
                resolve();
            });
        });
        return done;
    }

    #isEnded(session: Session | null | undefined): boolean {
        return session != null && this.#ended !== null && sessionIdOf(session) === this.#ended;
    }

    /** Asks the other tabs for a later state of the session, if they may have one that this tab cannot see. */
    async catchUp(): Promise<void> {
        for (let waited = 0; this.#tabs !== null;) {
            const session = (await this.#vault.read())?.session ?? null;
            const rest = this.#vault.patience() - waited;
            if (rest <= 0 || (await this.#ask(this.#tabs, session, rest))) return;
            waited += rest;
        }
    }

    async #ask(tabs: Tabs, session: Session | null, patience: number): Promise<boolean> {
        const answered = new Promise<boolean>((resolve) => (this.#answered = resolve));
        const silence = setTimeout(() => this.#answered?.(false), patience);
        tabs.tell({ type: 'ask', session });
        return await answered.finally(() => {
            clearTimeout(silence);
            this.#answered = null;
        });
    }

    readonly #onStorage = (event: StorageEvent): void => {
        // `null`: everything was cleared.
        const marked = event.key === marksKey(this.#key);
        if (event.key !== this.#key && event.key !== null && !marked) return;
        setTimeout(() => void this.#look(marked).catch(ignore), this.#tabs === null ? 0 : WORD_FIRST);
    };

    /** Another tab has changed the storage; `marked`: what cookie delivery keeps there. */
    async #look(marked: boolean): Promise<void> {
        const entry = await this.read();
        if (!marked) return;
        if (this.kind !== 'cookie') this.#joinCookies(entry);
        if (this.kind !== 'cookie' || this.#state.status !== 'signed-out') return;
        if ((await this.read())?.session === null && this.#vault.patience() === SURELY) this.onLogin();
    }

    /** Another tab has found out that refresh tokens come in cookies. A session of this tab's own is left alone. */
    #joinCookies(mine: Entry | null): void {
        if (mine === null && this.#cookies !== null) this.#vault = this.#cookies();
    }

    async #heard(message: Message): Promise<void> {
        try {
            if (message.type === 'ask') await this.#answer(message.session);
            else if (message.type === 'changed') await this.#follow(message);
            else await this.#endToo(message);
        } catch {
            // A storage that fails says so to whoever uses it next.
        }
    }

    async #answer(theirs: Session | null): Promise<void> {
        const entry = await this.#vault.read();
        if (entry?.session != null && this.#isLater(entry.session, theirs)) {
            this.#tabs?.tell({ type: 'changed', reason: 'renewed', entry, replaced: null });
        }
    }

    async #follow({ reason, entry, replaced }: Message & { type: 'changed' }): Promise<void> {
        if (this.#isCommon()) await this.read();
        if (entry?.session == null) return;
        if (this.kind !== 'cookie' && entry.session.refreshToken === null) {
            this.#joinCookies(await this.read());
        }
        if (this.kind !== 'cookie' && this.kind !== 'copied') return;
        const mine = (await this.#vault.read())?.session ?? null;
        const isMine = mine !== null && replaced !== null && sessionIdOf(mine) === replaced;
        if (!isMine && !this.#isLater(entry.session, mine)) return;
        await this.#vault.adopt(entry);
        this.#show(entry.session, reason, true, null);
        this.#answered?.(true);
    }

    /** Whether the tabs may have one storage: what it holds is what counts. */
    #isCommon(): boolean {
        return this.kind === 'shared' || this.kind === 'custom';
    }

    /** Of a cookie there is one at a time, so that the latest counts, whoever signed in. */
    #isLater(a: Session, b: Session | null): boolean {
        if (this.#isEnded(a)) return false;
        if (this.kind === 'cookie') return a.storedAt > (b?.storedAt ?? 0);
        return this.kind === 'copied' && b !== null && isNewer(a, b);
    }

    async #endToo(message: Message & { type: 'ended' }): Promise<void> {
        const { reason, sid, userId, everywhere } = message;
        const error = told(message.error);
        const mine = this.#state.session;
        const own = mine && sessionIdOf(mine);
        const isHit = mine !== null && (own === sid || (everywhere && mine.user.userId === userId));
        if (this.#isCommon()) {
            if (isHit || this.kind === 'shared') {
                this.#word = { reason, error, elsewhere: true };
                this.#ended = (isHit ? own : sid) ?? this.#ended;
            }
            await this.read();
            // A storage of this tab's own still has it.
            if (this.kind === 'custom' && this.#isEnded((await this.#vault.read())?.session)) {
                await this.#inTurn(() => this.#vault.drop());
            }
            return;
        }
        if (mine === null || (!isHit && this.kind !== 'cookie')) return;
        this.#ended = own ?? this.#ended;
        await this.#inTurn(() => this.#vault.drop());
        this.#show(null, reason, true, error);
    }

    /** Why the storage holds something else than before, as far as anybody has said. */
    #reasonFor(session: Session | null): ChangeReason {
        const before = this.#state.session;
        if (this.#state.status === 'unknown') return 'restored';
        if (session === null) return this.#word?.reason ?? 'signed-out';
        if (before === null || !isSameSession(before, session)) return 'signed-in';
        return before.token === session.token ? 'user-changed' : 'renewed';
    }

    #show(session: Session | null, reason: ChangeReason, elsewhere: boolean, error: AuthError | null): void {
        this.#become(stateOf(session, reason, elsewhere, error));
    }

    #become(next: AuthState): void {
        if (isSame(next, this.#state)) return;
        this.#state = next;
        this.#word = null;
        for (const listener of this.#listeners) {
            try {
                listener(next);
            } catch (error) {
                // The page's own fault, and said there: it does not stop a logout.
                setTimeout(() => {
                    throw error;
                });
            }
        }
    }
}

function ignore(): void {
    // Said to whoever uses the storage next.
}
