import { test as base } from '@playwright/test';

import { Service } from './service.js';

/** A test with services of its own, which are stopped when it ends. */
export const test = base.extend<{ start: typeof Service.start }>({
    start: async ({}, use) => {
        const services: Service[] = [];
        await use(async (...options) => {
            const service = await Service.start(...options);
            services.push(service);
            return service;
        });
        await Promise.all(services.map((service) => service.stop()));
    },
});

export { expect } from '@playwright/test';
