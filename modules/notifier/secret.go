package notifier

import (
	"encoding/json"
	"fmt"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// open gives the channel with its secrets in clear, for one attempt. What cannot
// be opened today cannot be tomorrow: the failure is permanent. Its words name
// the place and never the value.
func (n *Notifier) open(channel uptime.Channel) (uptime.Channel, error) {
	kind, ok := n.Channels.Kind(channel.Type)
	if !ok {
		return channel, refused("the channel type %s is not known", channel.Type, nil)
	}
	settings := kind.New()
	// Not form.Decode: sealed values are longer than what they seal, and what
	// was valid when it was saved is not judged again.
	if err := json.Unmarshal(channel.Settings, settings); err != nil {
		return channel, &uptime.SendError{Permanent: true, Reason: uptime.Say("the channel's settings cannot be read"), Err: err}
	}
	err := form.Secrets(settings, func(path, sealed string) (string, error) {
		secret, err := n.Sealer.Open(uptime.SecretPlace{
			WorkspaceID: channel.WorkspaceID, Table: "channels", RowKey: channel.RowKey, Field: kind.Name + "." + path,
			Plain: true,
		}, sealed)
		if err != nil {
			return "", refused("the channel's secret %s cannot be opened: save it again", path, err)
		}
		return secret, nil
	})
	if err != nil {
		return channel, err
	}
	channel.Settings = form.Encode(settings)
	return channel, nil
}

// refused is a permanent failure about the named thing.
func refused(format, name string, cause error) *uptime.SendError {
	return &uptime.SendError{
		Permanent: true, Reason: fmt.Sprintf(format, uptime.CleanLine(name, 200)), Err: cause,
	}
}
