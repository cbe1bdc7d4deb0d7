import type { Devices } from './session.js';

/** More users of one device are rare, and a storage may be small: SecureStore on iOS takes 2 kB. */
const MOST = 3;

/** The device token of the user with this address. */
export function deviceOf(devices: Devices, email: string): string | null {
    const user = userOf(email);
    return devices.find(([name]) => name === user)?.[1] ?? null;
}

/** The device tokens with one more, or a later one, of the user with this address. */
export function withDevice(devices: Devices, email: string, token: string): Devices {
    const user = userOf(email);
    return [[user, token] as const, ...devices.filter(([name]) => name !== user)].slice(0, MOST);
}

/**
 * A name for the user of an address: FNV-1a, in 32 bits. That two addresses share one is rare and does no harm, as the
 * service ignores the device token of somebody else.
 */
function userOf(email: string): string {
    let hash = 0x811c9dc5;
    for (const character of email.trim().toLowerCase().normalize()) {
        hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    }
    return (hash >>> 0).toString(36);
}
