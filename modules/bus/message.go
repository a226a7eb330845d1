package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"monitor/modules/uptime"
)

// message is what a topic's channel carries: the sender's name, a space, and a
// list of notices as JSON. An empty list says that some were lost.
type message struct {
	topic uptime.Topic
	text  string
}

// pack makes one message for each topic, which keeps the order of its notices.
func pack(sender string, notices []uptime.Notice) ([]message, error) {
	var topics []uptime.Topic
	by := map[uptime.Topic][]uptime.Notice{}
	for _, n := range notices {
		if _, known := by[n.Topic]; !known {
			topics = append(topics, n.Topic)
		}
		by[n.Topic] = append(by[n.Topic], n)
	}
	messages := make([]message, 0, len(topics))
	for _, topic := range topics {
		text, err := json.Marshal(by[topic])
		if err != nil {
			return nil, fmt.Errorf("encode notices of %q: %w", topic, err)
		}
		messages = append(messages, message{topic, sender + " " + string(text)})
	}
	return messages, nil
}

// gap says that the sender could not publish something of the topic.
func gap(sender string, topic uptime.Topic) message { return message{topic, sender + " []"} }

func unpack(text string) (notices []uptime.Notice, err error) {
	_, list, found := strings.Cut(text, " ")
	if !found {
		return nil, errors.New("it names no sender")
	}
	if err := json.Unmarshal([]byte(list), &notices); err != nil {
		return nil, fmt.Errorf("decode notices: %w", err)
	}
	return notices, nil
}
