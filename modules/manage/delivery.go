package manage

import (
	"context"

	"monitor/modules/uptime"
)

// Deliveries lists them, newest first.
func (m *Manage) Deliveries(ctx context.Context, actor uptime.Actor, f uptime.DeliveryFilter, p uptime.Page) (uptime.List[DeliveryView], error) {
	var none uptime.List[DeliveryView]
	if err := m.permit(actor, Read); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	switch f.Status {
	case "", uptime.DeliveryPending, uptime.DeliverySending, uptime.DeliveryDelivered, uptime.DeliveryDead, uptime.DeliveryMerged, uptime.DeliveryCancelled:
	default:
		return none, uptime.Invalid(uptime.FieldError{Field: "status", Message: "must be one of pending, sending, delivered, dead, merged, cancelled"})
	}
	list, err := m.deps.Deliveries.Deliveries(ctx, actor.WorkspaceID, f, p)
	if err != nil {
		return none, err
	}
	return mapList(list, deliveryView), nil
}

// RetryDelivery sends a dead delivery again. CodeConflict for any other.
func (m *Manage) RetryDelivery(ctx context.Context, actor uptime.Actor, id int64) (DeliveryView, error) {
	if err := m.permit(actor, SendAgain); err != nil {
		return DeliveryView{}, err
	}
	d, err := m.deps.Deliveries.RetryDelivery(ctx, actor.WorkspaceID, id, m.audited(actor, "delivery.retry", "delivery", id))
	if err != nil {
		return DeliveryView{}, err
	}
	m.announce(ctx, d.Notice(), notice(uptime.TopicOutbox, actor.WorkspaceID, 0))
	return deliveryView(d), nil
}
