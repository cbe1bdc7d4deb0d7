/** What is on the page, by its id. */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
    const element = document.getElementById(id);
    if (element === null) throw new Error(`there is no #${id}`);
    return element;
}

/**
 * Shows a text, or hides its place.
 *
 * @param {string} id
 * @param {string | null} text
 */
export function say(id, text) {
    const element = byId(id);
    element.textContent = text;
    element.hidden = text === null;
}

/**
 * Adds a line to one of the logs, the latest first.
 *
 * @param {'log' | 'theft'} id
 * @param {string} text
 * @param {{ bad?: boolean }} [options]
 */
export function log(id, text, { bad = false } = {}) {
    const [line, time, words] = [
        document.createElement('li'),
        document.createElement('time'),
        document.createElement('span'),
    ];
    time.textContent = new Date().toLocaleTimeString('en-GB');
    words.textContent = text;
    words.className = bad ? 'bad' : '';
    line.append(time, words);
    if (id === 'log') byId(id).prepend(line);
    else byId(id).append(line);
}

/**
 * Does something when a button is pressed; until it is done the button cannot be pressed again.
 *
 * @param {string} id
 * @param {() => Promise<unknown>} action
 */
export function onPress(id, action) {
    const button = /** @type {HTMLButtonElement} */ (byId(id));
    button.addEventListener('click', () => {
        button.disabled = true;
        action()
            .catch((/** @type {unknown} */ error) => {
                log('log', error instanceof Error ? error.message : 'It did not work.', { bad: true });
            })
            .finally(() => {
                button.disabled = false;
            });
    });
}

/** @param {number} milliseconds */
export function pause(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
