import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** A line of the audit log. */
export interface Audit {
    event: string;
    reason?: string;
    session_id?: string;
}

/** The service as `make run` starts it, with a page of these tests on the same port. */
export class Service {
    readonly audit: Audit[] = [];
    url = '';
    #process: ChildProcess | null = null;
    readonly #arguments: string[];
    readonly #settings: Record<string, string>;

    private constructor(page: string, data: string[], settings: Record<string, string>) {
        this.#arguments = [...data, '--demo', `clients/web/build/${page}`];
        // Hashes are made by a debug build here.
        this.#settings = { ARGON2_MEMORY_KIB: '7168', ARGON2_ITERATIONS: '1', LOG_LEVEL: 'error', ...settings };
    }

    static async start(
        settings: Record<string, string>,
        { page = 'e2e', data = ['--memory'] }: { page?: 'e2e' | 'demo'; data?: string[] } = {},
    ): Promise<Service> {
        const service = new Service(page, data, settings);
        await service.resume();
        return service;
    }

    /** Starts it; again on the same port, if it has been stopped. */
    async resume(): Promise<void> {
        const port = this.url === '' ? '0' : new URL(this.url).port;
        const program = process.env['LATCHKEY_LOCAL'] ?? `${ROOT}target/debug/local`;
        const env = { PATH: process.env['PATH'] ?? '', ...this.#settings };
        const child = spawn(program, ['--port', port, ...this.#arguments], {
            cwd: ROOT,
            env,
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        this.#process = child;
        const lines = createInterface({ input: child.stdout });
        let said = '';
        // A line for each request; wanted only if it does not start.
        child.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-1000)));
        await new Promise<void>((resolve, reject) => {
            child.once('error', reject);
            child.once('exit', (code) => {
                reject(new Error(`local ended with ${String(code)}: ${said}`));
            });
            lines.on('line', (line) => {
                const url = /^Latchkey on (\S+)$/.exec(line)?.[1];
                if (url !== undefined) {
                    this.url = url;
                    resolve();
                }
                if (line.startsWith('{')) this.audit.push(JSON.parse(line) as Audit);
            });
        });
    }

    async stop(): Promise<void> {
        const child = this.#process;
        this.#process = null;
        if (child?.exitCode !== null) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await gone;
    }

    /** How often something happened. */
    count(event: string): number {
        return this.audit.filter((line) => line.event === event).length;
    }
}
