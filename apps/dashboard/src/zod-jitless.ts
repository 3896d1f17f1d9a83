import { config } from 'zod';

// Schemas look at this when they are made, and the page's policy forbids code made from text: this
// file must be imported before anything that imports a schema.
config({ jitless: true });
