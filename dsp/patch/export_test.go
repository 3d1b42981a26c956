package patch

// For tests: the bounds of a text.
const (
	MaxLines  = maxLines
	MaxTokens = maxTokens
)
