'use server';

import { redirect } from 'next/navigation';

import { AuthError } from '@latchkey/client';

import { serverAuth } from './session';

/** For a form with `useActionState`: the text of what went wrong, or a redirect. */
export async function login(_: string | null, form: FormData): Promise<string | null> {
    const auth = await serverAuth();
    try {
        await auth.login({ email: text(form, 'email'), password: text(form, 'password') });
    } catch (error) {
        if (error instanceof AuthError) return error.message;
        throw error;
    }
    redirect('/');
}

/** The cookie is empty before the service is told. If that does not answer, its session lives until it runs out. */
export async function logout(): Promise<void> {
    const auth = await serverAuth();
    try {
        await auth.logout();
    } catch (error) {
        if (!(error instanceof AuthError) || error.code === 'storage_failed') throw error;
    }
    redirect('/login');
}

/** Any request of an action: signed in, and renewed if need be. */
export async function order(article: string): Promise<number> {
    const auth = await serverAuth();
    const response = await auth.fetch(`${process.env['API_URL'] ?? ''}/orders`, {
        method: 'POST',
        body: JSON.stringify({ article }),
    });
    return response.status;
}

function text(form: FormData, name: string): string {
    const value = form.get(name);
    return typeof value === 'string' ? value : '';
}
