export { startServer, type RunningServer } from './start.ts';
export { serverConfig, type ServerConfig, type ServerConfigInput } from './config.ts';
