// Fields of the API, and where they stand on the page.

const PLACES = {
    host: 'hosts', net: 'hosts', port: 'ports', proto: 'proto', 'proto-name': 'proto', vlan: 'vlan',
    mpls: 'mpls', query: 'expr', after: 'after', before: 'before', 'after-ago': 'after',
    'before-ago': 'before', filter: 'filter', sensor: 'sensors', 'limit-packets': 'limitPackets',
    'limit-bytes': 'limitBytes',
};

// {place: {message, position}} of a refusal; "" when it has no place.
export function placed(error) {
    if (!error || error.status !== 400) return {};
    return { [PLACES[error.field] ?? '']: { message: error.message, position: error.position } };
}

export const isPlaced = (errors) => Object.keys(errors).some((k) => k !== '');
