import { dump } from './hexdump.js';

export const Hex = ({ data }) => <pre class="hex" tabIndex={0}>{dump(data)}</pre>;
