const FUNCTIONS = 'FunctionDeclaration, FunctionExpression, ArrowFunctionExpression'

/**
 * Limits the lines of a function: `own` without the functions inside it, `all` with them. The second limit is for
 * factories, which consist mostly of other functions.
 */
export const functionSize = {
  meta: {
    type: 'suggestion',
    schema: [
      {
        type: 'object',
        properties: { own: { type: 'integer' }, all: { type: 'integer' } },
        required: ['own', 'all'],
        additionalProperties: false,
      },
    ],
    messages: {
      own: '{{lines}} lines without the functions in it, at most {{max}}: split it.',
      all: '{{lines}} lines with the functions in it, at most {{max}}: split it.',
    },
  },
  create(context) {
    const [{ own: maxOwn, all: maxAll }] = context.options
    /** For each function that is being visited, the lines of the functions directly inside it. */
    const innerLines = []
    return {
      [`:matches(${FUNCTIONS})`]: () => {
        innerLines.push(0)
      },
      [`:matches(${FUNCTIONS}):exit`](node) {
        const lines = node.loc.end.line - node.loc.start.line + 1
        const inner = innerLines.pop()
        const report = (messageId, count, max) => {
          if (count > max)
            context.report({ node, messageId, data: { lines: String(count), max: String(max) } })
        }
        report('own', lines - inner, maxOwn)
        report('all', lines, maxAll)
        // The first line counts for the outer function too.
        if (innerLines.length > 0) innerLines[innerLines.length - 1] += lines - 1
      },
    }
  },
}
