/** Version of this build; the release script keeps it equal to the one in package.json. */
export const VERSION = '0.1.0';
