/** Makes this Node say that it is an old one. */
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } });
