/** What the examples use of packages that are not installed here, as their documentation has it. */

declare module '@react-native-async-storage/async-storage' {
    const AsyncStorage: {
        getItem(key: string): Promise<string | null>;
        setItem(key: string, value: string): Promise<void>;
        removeItem(key: string): Promise<void>;
    };
    export default AsyncStorage;
}

declare module 'expo-secure-store' {
    export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: number;
    export interface SecureStoreOptions {
        keychainAccessible?: number;
    }
    export function getItemAsync(key: string, options?: SecureStoreOptions): Promise<string | null>;
    export function setItemAsync(key: string, value: string, options?: SecureStoreOptions): Promise<void>;
    export function deleteItemAsync(key: string, options?: SecureStoreOptions): Promise<void>;
}

declare module 'expo-crypto' {
    export function randomUUID(): string;
}

declare module 'next/headers' {
    interface Cookie {
        name: string;
        value: string;
    }
    interface Cookies {
        get(name: string): Cookie | undefined;
        set(name: string, value: string, attributes?: object): void;
        set(cookie: Cookie): void;
    }
    export function cookies(): Promise<Cookies>;
    export function headers(): Promise<Headers>;
}

declare module 'next/navigation' {
    export function redirect(path: string): never;
}

declare module 'react-native-url-polyfill/auto';
