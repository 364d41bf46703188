import express, { type RequestHandler } from 'express';
import { jsonErrorOffset, lineAndColumn } from './json-position.ts';
import { HttpProblem } from './problem.ts';

export const defaultBodyLimit = 1024 * 1024;

/** Reads a JSON body into `request.body`; where there is no body at all, that is undefined. */
export function jsonBody(limitBytes: number = defaultBodyLimit): RequestHandler[] {
  return [
    function onlyJson(request, _response, next) {
      // `is` gives null where there is no body; fetch says that by a length of 0.
      const hasBody = request.is('*/*') !== null && request.get('content-length') !== '0';
      if (hasBody && !request.is(['json', '+json'])) {
        const found = request.get('content-type') ?? 'no content-type';
        throw new HttpProblem(
          415,
          `the body is ${found}; send JSON, with content-type: application/json`,
          { headers: { accept: 'application/json' } },
        );
      }
      next();
    },
    // Not express.json: its error does not say where.
    express.text({ type: ['json', '+json'], limit: limitBytes }),
    function parse(request, _response, next) {
      if (typeof request.body === 'string') request.body = parseJson(request.body);
      next();
    },
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = lineAndColumn(text, jsonErrorOffset(text) ?? 0);
    throw new HttpProblem(400, `the body is not JSON: something is wrong at ${where}`, { cause });
  }
}
