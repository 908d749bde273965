##! Adds a link to the packets of a notice to notice.log, and to the mails that
##! tell of it.

@load base/frameworks/notice

module Docket;

export {
	## The /pivot of the API.
	option pivot_url = "https://docket.example/api/pivot";
}

redef record Notice::Info += {
	## The packets, one click away.
	packets: string &log &optional;
};

function link(n: Notice::Info): string
	{
	if ( n?$id )
		return fmt("%s?id.orig_h=%s&id.orig_p=%d&id.resp_h=%s&id.resp_p=%d&proto=%s&ts=%.6f",
		           pivot_url, n$id$orig_h, port_to_count(n$id$orig_p),
		           n$id$resp_h, port_to_count(n$id$resp_p),
		           get_port_transport_proto(n$id$resp_p), n$ts);

	if ( n?$src && n?$dst )
		return fmt("%s?src=%s&dst=%s&ts=%.6f", pivot_url, n$src, n$dst, n$ts);

	if ( n?$src )
		return fmt("%s?src=%s&ts=%.6f", pivot_url, n$src, n$ts);

	return "";
	}

hook Notice::policy(n: Notice::Info) &priority=-10
	{
	local url = link(n);

	if ( url == "" )
		return;

	n$packets = url;
	n$email_body_sections += fmt("Packets: %s", url);
	}
