/** The four response formats, as `README.md` has them. */
export const FORMATS = ['camel', 'snake', 'envelope', 'authorization'] as const;
export type Format = (typeof FORMATS)[number];

type Members = Record<string, unknown>;

const isSnake = (format: Format) => format === 'snake' || format === 'authorization';
const isWrapped = (format: Format) => format === 'envelope' || format === 'authorization';

function wrap(format: Format, data: Members): Members {
    return isWrapped(format) ? { success: true, data } : data;
}

function snake(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(snake);
    if (typeof value !== 'object' || value === null) return value;
    const name = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), snake(inner)]));
}

function spellUser(format: Format, user: Members): Members {
    if (!isSnake(format)) return user;
    const { userId, ...rest } = user;
    return { id: userId, ...(snake(rest) as Members) };
}

export function spellData(format: Format, data: Members): Members {
    if ('user' in data) return wrap(format, { user: spellUser(format, data['user'] as Members) });
    return wrap(format, (isSnake(format) ? snake(data) : data) as Members);
}

export function spellGrant(format: Format, tokens: Members, user: Members, further: Members = {}): Members {
    const expiresAt = Math.floor(Date.now() / 1000) + Number(tokens['expiresIn']);
    if (format === 'authorization') {
        const rest = snake(further) as Members;
        return wrap(format, { authorization: snake(tokens), user: spellUser(format, user), ...rest });
    }
    const all = { ...tokens, expiresAt, ...further };
    if (format === 'snake')
        return { ...(snake(all) as Members), user_id: user['userId'], user: spellUser(format, user) };
    return wrap(format, { ...all, user });
}

export function spellError(format: Format, code: string): Members {
    const text = 'It is refused.';
    if (format === 'camel') return { error: code, errorDescription: text, requestId: 'r-1' };
    if (format === 'snake') return { error: code, error_description: text, request_id: 'r-1' };
    if (format === 'envelope') return { success: false, error: { code, message: text }, requestId: 'r-1' };
    return { success: false, error: code, message: text, request_id: 'r-1' };
}
