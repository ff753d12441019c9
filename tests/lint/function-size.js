const FUNCTIONS = 'FunctionDeclaration, FunctionExpression, ArrowFunctionExpression'

/**
 * A function has at most `own` lines of its own, which are those that stand in no function within it, and `all` lines
 * with them: a factory is a function that is mostly made of others.
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
      own: '{{lines}} lines of its own, at most {{max}}: split it.',
      all: '{{lines}} lines with the functions in it, at most {{max}}: split it.',
    },
  },
  create(context) {
    const [{ own: maxOwn, all: maxAll }] = context.options
    /** Lines of the functions that stand right within each function that is open. */
    const within = []
    return {
      [`:matches(${FUNCTIONS})`]: () => {
        within.push(0)
      },
      [`:matches(${FUNCTIONS}):exit`](node) {
        const lines = node.loc.end.line - node.loc.start.line + 1
        const inner = within.pop()
        const report = (messageId, count, max) => {
          if (count > max)
            context.report({ node, messageId, data: { lines: String(count), max: String(max) } })
        }
        report('own', lines - inner, maxOwn)
        report('all', lines, maxAll)
        // One line is shared with whoever is around: the first stays theirs.
        if (within.length > 0) within[within.length - 1] += lines - 1
      },
    }
  },
}
