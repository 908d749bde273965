// Builds the page: build.js [OUT] [--watch]
//
// OUT (../build/ui) gets index.html, app.js, app.css and icon.svg, which a
// plain "root" of nginx serves.  All addresses in them are relative.

import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const out = resolve(args[0] ?? join(here, '../build/ui'));

const options = {
    absWorkingDir: here,
    entryPoints: { app: 'src/main.jsx' },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'linked',
    logLevel: 'warning',
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await copyFile(join(here, 'index.html'), join(out, 'index.html'));
await copyFile(join(here, 'icon.svg'), join(out, 'icon.svg'));

if (process.argv.includes('--watch')) {
    const context = await esbuild.context(options);
    await context.watch();

} else {
    await esbuild.build(options);
}
